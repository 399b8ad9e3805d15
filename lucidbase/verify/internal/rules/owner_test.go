package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestOwner(t *testing.T) {
	const id = 65532
	testRule(t, "owner", []breach{
		{name: "clean"},
		{name: "a file", layers: one(file("/opt/x/a", "x").OwnedBy(id, 0)), want: []string{"/opt/x/a"}},
		{name: "a tree", layers: one(dir("/opt/x").OwnedBy(id, id), file("/opt/x/a", "x").OwnedBy(id, id), dir("/opt/x/d").OwnedBy(id, id), file("/opt/y", "x")), want: []string{"/opt/x"}},
		{name: "by group", layers: one(file("/etc/x", "x").OwnedBy(0, id).WithMode(0o664)), want: []string{"/etc/x"}},
		{name: "a system directory is no home", layers: one(file("/usr/lib/x", "x").OwnedBy(id, id)), config: func(c *v1.Config) { c.WorkingDir = "/usr/lib" }, want: []string{"/usr/lib/x"}},
		{name: "a prefix is no parent", layers: one(file("/application/x", "x").OwnedBy(id, id)), want: []string{"/application/x"}},

		{name: "by a hard link's own owner", layers: one(file("/etc/x", "x"), hardlink("/etc/y", "/etc/x").OwnedBy(id, id)), want: []string{"/etc/y"}},
		{name: "near: its places", layers: one(file("/app/data", "x").OwnedBy(id, id), file("/tmp/x", "x").OwnedBy(id, id), file("/home/nonroot/x", "x").OwnedBy(id, id))},
		{name: "near: a volume", layers: one(dir("/data").OwnedBy(id, id)), config: func(c *v1.Config) { c.Volumes = map[string]struct{}{"/data": {}} }},
		{name: "near: its group may read", layers: one(file("/etc/x", "x").OwnedBy(0, id).WithMode(0o640))},
		{name: "near: somebody else's", layers: one(file("/etc/x", "x").OwnedBy(1000, 1000))},
		{name: "near: given back", layers: [][]tarEntry{{file("/opt/a", "x").OwnedBy(id, id)}, {file("/opt/a", "x")}}},
	})
}
