package rules_test

import (
	"testing"
)

func TestCache(t *testing.T) {
	testRule(t, "cache", []breach{
		{name: "clean"},
		{name: "apt", layers: one(file("/var/cache/apt/pkgcache.bin", "p"), file("/var/lib/apt/lists/x_Packages.lz4", "p")), want: []string{"/var/cache/apt/pkgcache.bin", "/var/lib/apt/lists/x_Packages.lz4"}},
		{name: "pip", layers: one(file("/root/.cache/pip/http/a/b", "p"), file("/root/.cache/pip/wheels/c", "p")), want: []string{"/root/.cache/pip"}},
		{name: "pip elsewhere", layers: one(file("/var/cache/pip/wheels/a/b.whl", "p")), want: []string{"/var/cache/pip/wheels/a/b.whl"}},
		{name: "bytecode of nothing, without a tag", layers: one(file("/app/__pycache__/gone.pyc", "p")), want: []string{"/app/__pycache__/gone.pyc"}},
		{name: "uv", layers: one(file("/root/.cache/uv/archive-v0/x/a.py", "p")), want: []string{"/root/.cache/uv/archive-v0/x/a.py"}},
		{name: "apk", layers: one(file("/var/cache/apk/APKINDEX.00.tar.gz", "p")), want: []string{"/var/cache/apk/APKINDEX.00.tar.gz"}},
		{name: "bytecode of nothing", layers: one(file("/app/__pycache__/gone.cpython-311.pyc", "p"), file("/app/__pycache__/main.cpython-311.pyc", "p")), want: []string{"/app/__pycache__/gone.cpython-311.pyc"}},
		{name: "bytecode of something deleted", layers: [][]tarEntry{{file("/app/x.py", "p"), file("/app/__pycache__/x.cpython-311.opt-2.pyc", "p")}, {whiteout("/app/x.py")}}, want: []string{"/app/__pycache__/x.cpython-311.opt-2.pyc"}},

		{name: "near: empty directories and locks", layers: one(dir("/var/cache/apt/archives/partial"), file("/var/lib/apt/lists/lock", ""), dir("/root/.cache/pip"))},
		{name: "near: bytecode with its source", layers: one(file("/app/__pycache__/main.cpython-311.opt-1.pyc", "p"))},
		{name: "near: bytecode that needs none", layers: one(file("/app/only.pyc", "p"))},
		{name: "near: data", layers: one(file("/home/nonroot/.cache/models/m.bin", "p"), file("/opt/venv/lib/python3.11/site-packages/uvloop/a", "p"), file("/app/cache/pip.txt", "p"), file("/var/cache/ldconfig/aux-cache", "p"))},
	})
}
