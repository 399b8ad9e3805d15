package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestDuplicate(t *testing.T) {
	const site, system, local = "/opt/venv/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/dist-packages"
	b := func(dir, version string) tarEntry { return needing(dir, "b", version) }
	testRule(t, "duplicate", []breach{
		{name: "one directory", layers: one(b(site, "1.0"), b(site, "2.0")), want: []string{site + "/b-2.0.dist-info/METADATA"}},
		{name: "spelled another way", layers: one(needing(site, "b_b", "1.0"), needing(site, "B.b", "1.0")), want: []string{site + "/B.b-1.0.dist-info/METADATA"}},
		{name: "egg and wheel", layers: one(b(site, "1.0"), file(site+"/b.egg-info/PKG-INFO", "Name: b\nVersion: 1.0\n")), want: []string{site + "/b.egg-info/PKG-INFO"}},
		{name: "two directories", layers: one(b(local, "1.0"), b(system, "2.0")), want: []string{system + "/b-2.0.dist-info/METADATA"}},
		{name: "the system's is seen", layers: one(file("/opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n"), b(site, "1.0"), b(system, "1.0")), want: []string{system + "/b-1.0.dist-info/METADATA"}},
		{name: "by a .pth", layers: one(b(site, "1.0"), b("/srv/more", "1.0"), file(site+"/x.pth", "/srv/more\n")), want: []string{"/srv/more/b-1.0.dist-info/METADATA"}},

		{name: "the system's is not seen", layers: one(b(site, "1.0"), b(system, "1.0"))},
		{name: "on PYTHONPATH", layers: one(b(site, "1.0"), b("/srv/site", "2.0")), config: func(c *v1.Config) { c.Env = append(c.Env, "PYTHONPATH=/srv/site") }},
		{name: "upgraded", layers: [][]tarEntry{{b(site, "1.0")}, {whiteout(site + "/b-1.0.dist-info"), b(site, "2.0")}}},
		{name: "carried by another", layers: one(b(site, "1.0"), b(site+"/a/_vendor", "2.0"))},
		{name: "Debian's, with both kinds of metadata", layers: one(b(system, "1.0"), file(system+"/b.egg-info/PKG-INFO", "Name: b\nVersion: 1.0\n"))},
		{name: "names that differ", layers: one(b(site, "1.0"), needing(site, "b2", "1.0"))},
	})
}
