package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rule requires and the rule package-manager, which names who needs setuptools,
// judge a marker by the same environment, whatever says the interpreter's version.
func TestMarkersAgree(t *testing.T) {
	site := strings.TrimSuffix(sitePath, "/")
	unknown := file("/opt/venv/pyvenv.cfg", "home = /usr/bin\n")
	packaged := file("/var/lib/dpkg/status.d/python3.11-minimal", "Package: python3.11-minimal\nVersion: 3.11.9-1\n")
	for _, c := range []struct {
		marker string
		more   []tarEntry
		holds  bool
	}{
		{`python_version == "3.11"`, nil, true},
		{`python_version < "3.11"`, nil, false},
		{`python_full_version == "3.11.2"`, nil, true},
		{`python_full_version >= "3.11.3"`, nil, false},
		{`python_full_version >= "3.11.3"`, []tarEntry{unknown}, false},
		{`python_full_version >= "3.11.0"`, []tarEntry{unknown}, true},
		{`python_full_version == "3.11.9"`, []tarEntry{unknown, packaged}, true},
		{`platform_machine == "x86_64" and sys_platform == "linux"`, nil, true},
		{`platform_machine == "aarch64"`, nil, false},
		{`os_name == "posix" and implementation_name == "cpython"`, nil, true},
		{`extra == "dev"`, nil, false},
	} {
		t.Run(fmt.Sprint(c.marker, len(c.more)), func(t *testing.T) {
			// A part of setuptools, and one distribution that needs it, which is not installed.
			layer := append(c.more, file(site+"/setuptools/__init__.py", ""), needing(site, "a", "1.0", "Requires-Dist: setuptools; "+c.marker))
			img := imageOf(t, cleanConfig(), cleanLayer(), layer)
			require.Equal(t, c.holds, len(brokenBy(t, "requires", img)) == 1)
			manager := brokenBy(t, "package-manager", img)
			require.Len(t, manager, 1)
			require.Equal(t, c.holds, strings.HasSuffix(manager[0], "; a needs it"))
		})
	}
}
