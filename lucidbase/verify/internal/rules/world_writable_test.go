package rules_test

import (
	"testing"
)

func TestWorldWritable(t *testing.T) {
	testRule(t, "world-writable", []breach{
		{name: "clean"},
		{name: "a file, a directory", layers: one(file("/app/a", "x").WithMode(0o666), dir("/app/d").WithMode(0o777)), want: []string{"/app/a", "/app/d"}},
		{name: "by a hard link's own mode", layers: one(file("/app/a", "x"), hardlink("/app/b", "/app/a").WithMode(0o666)), want: []string{"/app/b"}},
		{name: "sticky elsewhere", layers: one(dir("/run/lock").WithMode(0o1777)), want: []string{"/run/lock"}},
		{name: "tmp not sticky", layers: one(dir("/tmp").WithMode(0o777)), want: []string{"/tmp"}},
		{name: "near", layers: one(link("/app/l", "main.py"), dir("/app/d").WithMode(0o775), dir("/tmp").WithMode(0o1777))},
		{name: "near: mended later", layers: [][]tarEntry{{dir("/app/d").WithMode(0o777)}, {dir("/app/d")}}},
	})
}
