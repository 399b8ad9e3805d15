package rules_test

import (
	"testing"
)

func TestSetuid(t *testing.T) {
	testRule(t, "setuid", []breach{
		{name: "clean"},
		{name: "setuid", layers: one(program("/app/a", "x").WithMode(0o4755), program("/app/b", "x").WithMode(0o2755), program("/app/c", "x").WithMode(0o6711)), want: []string{"/app/a", "/app/b", "/app/c"}},
		{name: "a hard link", layers: one(program("/app/a", "x").WithMode(0o4755), hardlink("/app/b", "/app/a")), want: []string{"/app/a", "/app/b"}},
		{name: "by a hard link's own mode", layers: one(program("/app/a", "x"), hardlink("/app/b", "/app/a").WithMode(0o4755)), want: []string{"/app/b"}},
		{name: "near: a hard link", layers: one(program("/app/a", "x"), hardlink("/app/b", "/app/a"))},
		{name: "near: a directory, a sticky file", layers: one(dir("/var/mail").WithMode(0o2775), program("/app/a", "x").WithMode(0o1755))},
		{name: "near: taken away later", layers: [][]tarEntry{{program("/app/a", "x").WithMode(0o4755)}, {program("/app/a", "x")}}},
	})
}
