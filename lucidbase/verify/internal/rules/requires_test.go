package rules_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestRequires(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	path := func(name string) []string { return []string{site + "/" + name + "-1.0.dist-info/METADATA"} }
	a := func(headers ...string) tarEntry { return needing(site, "a", "1.0", headers...) }
	tagged := func(tags ...string) tarEntry {
		return file(site+"/a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: "+strings.Join(tags, "\nTag: ")+"\n")
	}
	python := func(dir string) func(*v1.Config) {
		return func(c *v1.Config) { c.Env = append(c.Env, "PYTHONPATH="+dir) }
	}
	testRule(t, "requires", []breach{
		{name: "not there", layers: one(a("Requires-Dist: b")), want: path("a")},
		{name: "too old", layers: one(a("Requires-Dist: tiny>=1.1")), want: path("a")},
		{name: "too new", layers: one(a("Requires-Dist: tiny (<1.0)")), want: path("a")},
		{name: "marker holds", layers: one(a(`Requires-Dist: b; python_version >= "3.9" and sys_platform == "linux"`)), want: path("a")},
		{name: "for this machine", layers: one(a(`Requires-Dist: b; platform_machine == 'x86_64'`)), want: path("a")},
		{name: "by the full version", layers: one(a(`Requires-Dist: b; python_full_version < '3.11.3'`)), want: path("a")},
		{name: "Python", layers: one(a("Requires-Python: >=3.12")), want: path("a")},
		{name: "Python, the upper end", layers: one(a("Requires-Python: >=3.8,<3.11")), want: path("a")},
		{name: "an extra that is asked for", layers: one(a("Requires-Dist: b[Fast_Mode]"), needing(site, "b", "1.0", `Requires-Dist: c; extra == "fast-mode"`)), want: path("b")},
		{name: "an extra's extra", layers: one(a("Requires-Dist: b[x]"), needing(site, "b", "1.0", `Requires-Dist: b[y]; extra == "x"`, `Requires-Dist: c; extra == "y"`)), want: path("b")},
		{name: "deleted", layers: [][]tarEntry{{a("Requires-Dist: b"), needing(site, "b", "1.0")}, {whiteout(site + "/b-1.0.dist-info")}}, want: path("a")},
		{name: "in the system, which is not seen", layers: one(a("Requires-Dist: b"), needing("/usr/lib/python3/dist-packages", "b", "1.0")), want: path("a")},
		{name: "setuptools", layers: one(a("Requires-Dist: setuptools")), want: path("a")},
		{name: "of the system's own", layers: one(needing("/usr/local/lib/python3.11/dist-packages", "a", "1.0", "Requires-Dist: b")), want: []string{"/usr/local/lib/python3.11/dist-packages/a-1.0.dist-info/METADATA"}},
		{name: "on PYTHONPATH", layers: one(needing("/srv/site", "a", "1.0", "Requires-Dist: b")), config: python("/srv/site"), want: []string{"/srv/site/a-1.0.dist-info/METADATA"}},

		{name: "an interpreter called python3", layers: one(program("/opt/py/bin/python3", tinyELF(0x3e)), needing("/opt/py/lib/python3.11/site-packages", "a", "1.0", "Requires-Dist: b")), want: []string{"/opt/py/lib/python3.11/site-packages/a-1.0.dist-info/METADATA"}},
		{name: "a wheel for another machine", layers: one(a(), tagged("cp311-cp311-manylinux_2_17_aarch64")), want: path("a")},
		{name: "a wheel for another Python", layers: one(a(), tagged("cp310-cp310-manylinux_2_17_x86_64")), want: path("a")},
		{name: "a wheel for another libc", layers: one(glibcLayer(a(), tagged("cp311-cp311-musllinux_1_2_x86_64"))...), want: path("a")},
		{name: "a wheel for a newer stable ABI", layers: one(a(), tagged("cp312-abi3-linux_x86_64")), want: path("a")},
		{name: "a wheel for another system", layers: one(a(), tagged("cp311-cp311-win_amd64")), want: path("a")},

		{name: "one of a wheel's tags", layers: one(a(), tagged("cp311-cp311-macosx_11_0_arm64", "cp311-cp311-manylinux_2_17_x86_64"))},
		{name: "compressed tags", layers: one(a(), tagged("py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"))},
		{name: "the stable ABI", layers: one(glibcLayer(a(), tagged("cp37-abi3-manylinux_2_28_x86_64"))...)},
		{name: "built on the spot", layers: one(muslLayer(a(), tagged("cp311-cp311-linux_x86_64"))...)},
		{name: "no tag", layers: one(a(), tagged("any"))},
		{name: "there", layers: one(a("Requires-Dist: Tiny (>=1.0,!=1.1.*)"))},
		{name: "spelled another way", layers: one(a("Requires-Dist: zope.Interface"), needing(site, "zope_interface", "5.0"))},
		{name: "pre-release", layers: one(a("Requires-Dist: b>=2.0a1"), needing(site, "b", "2.0rc1"))},
		{name: "local version", layers: one(a("Requires-Dist: b==2.0"), needing(site, "b", "2.0+cpu"))},
		{name: "marker does not hold", layers: one(a(`Requires-Dist: b; python_version < "3.11"`, `Requires-Dist: c; sys_platform == "win32" or os_name == "nt"`, `Requires-Dist: d; platform_machine == "aarch64"`, `Requires-Dist: e; platform_python_implementation == "PyPy"`))},
		{name: "by the full version, not", layers: one(a(`Requires-Dist: b; python_full_version >= '3.11.3'`))},
		{name: "an extra nobody asks for", layers: one(a(`Requires-Dist: b; extra == "fast"`), needing(site, "c", "1.0", "Requires-Dist: a"))},
		{name: "what a marker cannot tell", layers: one(a(`Requires-Dist: b; platform_release >= "5"`, "Requires-Dist: c (>dev)"))},
		{name: "Python fits", layers: one(a("Requires-Python: >=3.8, !=3.9.*, <4"))},
		{name: "on PYTHONPATH, met by the environment", layers: one(needing("/srv/site", "a", "1.0", "Requires-Dist: tiny")), config: python("/srv/site")},
		{name: "in a directory of a .pth", layers: one(a("Requires-Dist: b"), file(site+"/x.pth", "# more\nimport os\n/srv/more\n"), needing("/srv/more", "b", "1.0"))},
		{name: "the system's, which is seen", layers: one(a("Requires-Dist: b"), file("/opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = True\n"), needing("/usr/lib/python3/dist-packages", "b", "1.0"))},
		{name: "egg", layers: one(a("Requires-Dist: b"), file(site+"/b-1.0.egg-info/PKG-INFO", "Name: b\nVersion: 1.0\n"))},
		{name: "carried by another", layers: one(needing(site+"/a/_vendor", "c", "1.0", "Requires-Dist: d"))},
	})
}

// Where the last number of the version is not known, what only some have is left alone.
func TestRequiresUnknownVersion(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	cfg := file("/opt/venv/pyvenv.cfg", "home = /usr/bin\n")
	testRule(t, "requires", []breach{
		{name: "some", layers: one(cfg, needing(site, "a", "1.0", `Requires-Dist: b; python_full_version >= '3.11.3'`, `Requires-Dist: c; python_full_version < '3.11.3'`))},
		{name: "all", layers: one(cfg, needing(site, "a", "1.0", `Requires-Dist: b; python_full_version >= '3.11'`)), want: []string{site + "/a-1.0.dist-info/METADATA"}},
		{name: "the package says it", layers: one(cfg, needing(site, "a", "1.0", `Requires-Dist: b; python_full_version < '3.11.3'`), file("/var/lib/dpkg/status.d/python3.11-minimal", "Package: python3.11-minimal\nVersion: 3.11.2-6+deb12u6\n")), want: []string{site + "/a-1.0.dist-info/METADATA"}},
	})
}
