package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A finding about setuptools names what is installed that needs it.
func TestManagerIsNeededBy(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	setuptools := file(site+"/setuptools/__init__.py", "s")
	found := func(more ...tarEntry) string {
		for _, f := range findings(t, imageOf(t, cleanConfig(), cleanLayer(), append(more, setuptools)), Contract{}) {
			if f.Rule == "package-manager" {
				return f.Found
			}
		}
		return ""
	}
	const part = "a part of setuptools, which installs Python packages"
	gunicorn := needing(site, "gunicorn", "1.0", "Requires-Dist: setuptools>=3.0")
	require.Equal(t, part, found())
	require.Equal(t, part, found(needing(site, "a", "1.0", `Requires-Dist: setuptools; extra == "dev"`, `Requires-Dist: setuptools; os_name == "nt"`)))
	require.Equal(t, part+"; gunicorn needs it", found(gunicorn))
	require.Equal(t, part+"; APScheduler, gunicorn and zope.interface need it",
		found(gunicorn, needing(site, "APScheduler", "1.0", "Requires-Dist: Setuptools"), needing(site, "zope.interface", "1.0", `Requires-Dist: setuptools; python_version > "3"`)))
}

func TestRefused(t *testing.T) {
	require.Subset(t, Refused(), []string{"pip", "setuptools", "uv", "poetry"})
	require.NotContains(t, Refused(), "wheel", "it installs nothing")
}
