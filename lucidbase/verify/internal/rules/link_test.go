package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestLink(t *testing.T) {
	testRule(t, "link", []breach{
		{name: "dangling", layers: one(link("/usr/bin/app", "/opt/app/run")), want: []string{"/usr/bin/app"}},
		{name: "relative", layers: one(link("/usr/lib/liba.so", "liba.so.1")), want: []string{"/usr/lib/liba.so"}},
		{name: "through a file", layers: one(link("/etc/x", "/etc/passwd/x")), want: []string{"/etc/x"}},
		{name: "itself", layers: one(link("/etc/x", "x")), want: []string{"/etc/x"}},
		{name: "round", layers: one(link("/etc/x", "y"), link("/etc/y", "/etc/x")), want: []string{"/etc/x", "/etc/y"}},
		{name: "chain", layers: one(link("/etc/x", "y"), link("/etc/y", "z")), want: []string{"/etc/x", "/etc/y"}},
		{name: "target deleted", layers: [][]tarEntry{{file("/etc/a", "a"), link("/etc/x", "a")}, {whiteout("/etc/a")}}, want: []string{"/etc/x"}},
		{name: "hard link to nothing", layers: one(hardlink("/etc/x", "/etc/a")), want: []string{"/etc/x"}},
		{name: "directory", layers: one(link("/usr/lib64", "/usr/nowhere")), want: []string{"/usr/lib64"}},
		{name: "alternatives", layers: one(link("/etc/alternatives/pager", "/usr/bin/less")), want: []string{"/etc/alternatives/pager"}},

		{name: "through links", layers: one(link("/lib", "usr/lib"), link("/etc/x", "/lib/python3.11/os.py"))},
		{name: "out of the root", layers: one(link("/etc/x", "../../../../etc/passwd"))},
		{name: "a directory without an entry", layers: one(link("/etc/x", "/usr/lib"))},
		{name: "at run time", layers: one(link("/etc/mtab", "../proc/self/mounts"), link("/log", "/dev/stdout"), link("/var/run", "/run"), link("/etc/resolv.conf", "/run/x/resolv.conf"))},
		{name: "hidden", layers: [][]tarEntry{{link("/etc/x", "gone")}, {file("/etc/x", "x")}}},
		{name: "later layer", layers: [][]tarEntry{{link("/etc/x", "a")}, {file("/etc/a", "a")}}},
		{name: "hard link", layers: one(file("/etc/a", "a"), hardlink("/etc/x", "/etc/a"))},
		{name: "manual", layers: one(link("/usr/share/man/man1/x.1", "y.1"), link("/etc/alternatives/x.1.gz", "/usr/share/man/man1/x.1.gz"))},
		{name: "build id", layers: one(link("/usr/lib/.build-id/ab/cd", "../../../bin/gone"))},
		{name: "volume", layers: one(link("/app/data", "/data/x")), config: func(c *v1.Config) { c.Volumes = map[string]struct{}{"/data": {}} }},
	})
}
