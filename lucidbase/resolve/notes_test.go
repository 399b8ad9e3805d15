package resolve

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
)

// What there is to know of a lock is said with the line that it is about.
func TestNotes(t *testing.T) {
	p, err := explain.Read("r.txt", func(string) ([]byte, error) {
		return []byte("gunicorn==20.1.0\nweb==1\nsetuptools==69.5.1\npython-daemon==2.3.1\npip==23.0.1\n"), nil
	}, nil)
	require.NoError(t, err)
	setuptools := func(nearest string, way ...Package) Refused {
		return Refused{Name: "setuptools", Version: "69.5.1", Way: way, Needs: "setuptools>=3.0", Nearest: nearest}
	}
	const waived = "waive what a build then finds, path by path, with a verify.Waiver of the rule package-manager"
	for want, locked := range map[string]Locked{
		"r.txt: line 5: pip==23.0.1: left out: nothing in the list needs it, and an image has no use for it": {Dropped: []string{"pip"}},
		"r.txt: line 1: gunicorn==20.1.0: it needs setuptools>=3.0, which no image may have (rule package-manager): " +
			"the nearest version that does not is gunicorn==21.0.0; or " + waived: {Refused: []Refused{setuptools("21.0.0", Package{"gunicorn", "20.1.0"})}},
		"r.txt: line 2: web==1: it needs gunicorn 20.1.0, which needs setuptools>=3.0, which no image may have (rule package-manager): " +
			"no other version does without; " + waived: {Refused: []Refused{setuptools("", Package{"web", "1"}, Package{"gunicorn", "20.1.0"})}},
		"r.txt: line 3: setuptools==69.5.1: no image may have setuptools (rule package-manager), and nothing else in the list needs it: " +
			"remove the line, or " + waived: {Refused: []Refused{{Name: "setuptools", Version: "69.5.1"}}},
		"r.txt: line 4: python-daemon==2.3.1: it was yanked from the index: Incorrectly declares \"Python 2\" (support)": {
			Warnings: []string{"`python-daemon==2.3.1` is yanked (reason: \"Incorrectly declares \"Python 2\" (support)\")"},
		},
		"some==1: it was yanked from the index, without a reason":    {Warnings: []string{"`some==1` is yanked"}},
		"uv warns: The package `a` does not have an extra named `b`": {Warnings: []string{"The package `a` does not have an extra named `b`"}},
	} {
		require.Equal(t, []string{want}, Notes(List{"r.txt", p}, locked))
	}
	left := Locked{Dropped: []string{"pip"}, Warnings: []string{"`pip==23.0.1` is yanked (reason: \"x\")"}}
	require.Len(t, Notes(List{"r.txt", p}, left), 1, "what is left out is not warned of")
}
