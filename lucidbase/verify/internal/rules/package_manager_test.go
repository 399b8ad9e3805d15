package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// A finding about setuptools names what is installed that needs it.
func TestManagerIsNeededBy(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	setuptools := file(site+"/setuptools/__init__.py", "s")
	found := func(more ...tarEntry) string {
		for _, f := range findings(t, imageOf(t, cleanConfig(), cleanLayer(), append(more, setuptools)), verify.Contract{}) {
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

func TestPackageManager(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	testRule(t, "package-manager", []breach{
		{name: "clean"},
		{name: "Debian", layers: one(program("/usr/bin/dpkg-query", "d"), program("/usr/bin/apt-get", "a")), want: []string{"/usr/bin/apt-get", "/usr/bin/dpkg-query"}},
		{name: "Alpine, RPM", layers: one(program("/sbin/apk", "a"), program("/usr/bin/rpm", "r"), program("/usr/bin/dnf-3", "d")), want: []string{"/sbin/apk", "/usr/bin/dnf-3", "/usr/bin/rpm"}},
		{name: "console scripts", layers: one(program("/opt/venv/bin/pip3.11", "p"), program("/opt/venv/bin/easy_install", "e")), want: []string{"/opt/venv/bin/easy_install", "/opt/venv/bin/pip3.11"}},
		{name: "uv off PATH", layers: one(program("/srv/uv", tinyELF(0x3e))), want: []string{"/srv/uv"}},
		{name: "pip installed", layers: one(distribution(site, "pip", "23.0", file("pip/__init__.py", ""), file("pip/_internal/cli.py", ""))...), want: []string{site + "/pip", site + "/pip-23.0.dist-info"}},
		{name: "pip's module in one file", layers: one(file(site+"/pip/__main__.py", "p")), want: []string{site + "/pip/__main__.py"}},
		{name: "pip vendored", layers: one(file("/opt/x/patched/pip/_internal/main.py", "p")), want: []string{"/opt/x/patched/pip/_internal/main.py"}},
		{name: "setuptools", layers: one(file(site+"/_distutils_hack/__init__.py", "p"), file(site+"/distutils-precedence.pth", "import os\n"), file("/usr/lib/python3/dist-packages/pkg_resources/__init__.py", "p"),
			file("/usr/lib/python3/dist-packages/setuptools-66.1.1.egg-info/PKG-INFO", "Name: setuptools\nVersion: 66.1.1\n")),
			want: []string{site + "/_distutils_hack/__init__.py", site + "/distutils-precedence.pth", "/usr/lib/python3/dist-packages/pkg_resources/__init__.py", "/usr/lib/python3/dist-packages/setuptools-66.1.1.egg-info/PKG-INFO"}},
		{name: "bundled wheels", layers: one(file("/usr/lib/python3.11/ensurepip/_bundled/pip-23.0-py3-none-any.whl", "w"), file("/usr/share/python-wheels/setuptools-66.1.1-py3-none-any.whl", "w")),
			want: []string{"/usr/lib/python3.11/ensurepip/_bundled/pip-23.0-py3-none-any.whl", "/usr/share/python-wheels/setuptools-66.1.1-py3-none-any.whl"}},
		{name: "a zip application", layers: one(file("/root/pip.pyz", "z"), file("/tmp/get-pip.py", "g")), want: []string{"/root/pip.pyz", "/tmp/get-pip.py"}},
		{name: "eggs", layers: one(file(site+"/setuptools-65.5.0-py3.11.egg/setuptools/__init__.py", "s"), file(site+"/pip-9.0.egg/EGG-INFO/PKG-INFO", "Name: pip\nVersion: 9.0\n")),
			want: []string{site + "/pip-9.0.egg/EGG-INFO/PKG-INFO", site + "/setuptools-65.5.0-py3.11.egg/setuptools/__init__.py"}},
		{name: "setuptools elsewhere", layers: one(file("/app/deps/setuptools/command/build.py", "s")), want: []string{"/app/deps/setuptools/command/build.py"}},
		{name: "dnf's module", layers: one(file("/usr/lib/python3.11/site-packages/dnf/base.py", "d")), want: []string{"/usr/lib/python3.11/site-packages/dnf/base.py"}},
		{name: "deleted later", layers: [][]tarEntry{{file(site+"/pip/a.py", ""), file(site+"/pip/b.py", "")}, {whiteout(site + "/pip")}}, want: []string{site + "/pip"}},

		{name: "near: databases", layers: one(file("/var/lib/dpkg/status.d/libc6", "Package: libc6\nStatus: install ok installed\nVersion: 2.36\n"), file("/lib/apk/db/installed", "P:musl\nV:1\n"), dir("/etc/apt"), file("/etc/cron.daily/apt", "x").WithMode(0o755))},
		{name: "near: ensurepip without wheels", layers: one(file("/usr/lib/python3.11/ensurepip/__init__.py", "e"), file("/usr/lib/python3.11/distutils/__init__.py", "d"))},
		{name: "near: names that start so", layers: one(append(distribution(site, "pip_audit", "2.0", file("pip_audit/__init__.py", "")), program("/opt/venv/bin/uvicorn", "u"), file(site+"/x-nspkg.pth", "n"), file(site+"/poetry_core-1.0.dist-info/METADATA", ""))...)},
		{name: "near: a link to nothing", layers: one(link("/usr/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"))},
		{name: "near: type stubs of it", layers: one(file(site+"/jedi/typeshed/stubs/setuptools/setuptools/command/build.pyi", "s"))},
		{name: "near: an instrumentation of it", layers: one(file(site+"/telemetry/pip/__init__.py", "p"), file("/usr/share/doc/pip/copyright", "c"))},
	})
}
