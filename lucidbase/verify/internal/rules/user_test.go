package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// user, cmd and env set one field of the config.
func user(s string) func(*v1.Config) { return func(c *v1.Config) { c.User = s } }

func cmd(argv ...string) func(*v1.Config) { return func(c *v1.Config) { c.Cmd = argv } }

func env(kv string) func(*v1.Config) { return func(c *v1.Config) { c.Env = append(c.Env, kv) } }

func TestUser(t *testing.T) {
	broken := []string{"config:User"}
	passwd := func(gid string) [][]tarEntry {
		return one(file("/etc/passwd", "root:x:0:0::/root:/bin/false\napp:x:1000:"+gid+"::/home/app:/bin/false\n"))
	}
	testRule(t, "user", []breach{
		{name: "clean"},
		{name: "none", config: user(""), want: broken},
		{name: "root", config: user("0:1"), want: broken},
		{name: "root in other digits", config: user("000:1"), want: broken},
		{name: "root's group", config: user("65532:0"), want: broken},
		{name: "both", config: user("0:0"), want: []string{"config:User", "config:User"}},
		{name: "a name", config: user("nonroot"), want: broken},
		{name: "a name that nobody has", config: user("ghost:5"), want: broken},
		{name: "root by name", config: user("root"), want: broken},
		{name: "a group by name", config: user("65532:nonroot"), want: broken},
		{name: "no group, none known", config: user("4711"), want: broken},
		{name: "no group, root's by /etc/passwd", config: user("1000"), layers: passwd("0"), want: broken},
		{name: "signs", config: user("-1:5"), want: broken},
		{name: "too large", config: user("4294967296:5"), want: broken},
		{name: "root's group by /etc/group", layers: one(file("/etc/group", "root:x:0:backup,nonroot\nnonroot:x:65532:\n")), want: []string{"/etc/group"}},

		{name: "near: no group, one of /etc/passwd", config: user("1000"), layers: passwd("1000")},
		{name: "near: not in /etc/passwd", config: user("4711:4711")},
		{name: "near: a member of another group", layers: one(file("/etc/group", "root:x:0:\nwheel:x:10:nonroot\n"))},
	})
}
