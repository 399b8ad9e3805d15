package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestWorkdir(t *testing.T) {
	broken := []string{"config:WorkingDir"}
	dirOf := func(s string) func(*v1.Config) { return func(c *v1.Config) { c.WorkingDir = s } }
	testRule(t, "workdir", []breach{
		{name: "clean"},
		{name: "missing", config: dirOf("/srv/gone"), want: broken},
		{name: "relative", config: dirOf("app"), want: broken},
		{name: "a file", config: dirOf("/app/main.py"), want: broken},
		{name: "closed", layers: one(dir("/srv").WithMode(0o750)), config: dirOf("/srv"), want: broken},
		{name: "below a closed one", layers: one(dir("/root").WithMode(0o700), dir("/root/app")), config: dirOf("/root/app"), want: broken},
		{name: "deleted", layers: one(whiteout("/app")), want: broken},
		{name: "near: the root", config: dirOf("")},
		{name: "near: a link", layers: one(link("/srv", "app")), config: dirOf("/srv")},
		{name: "near: its own", layers: one(dir("/srv").WithMode(0o700).OwnedBy(65532, 65532)), config: dirOf("/srv/")},
		{name: "near: without an entry", layers: one(file("/srv/a/b", "x")), config: dirOf("/srv/a")},
	})
}
