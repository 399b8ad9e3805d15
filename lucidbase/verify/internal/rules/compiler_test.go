package rules_test

import (
	"testing"
)

func TestCompiler(t *testing.T) {
	testRule(t, "compiler", []breach{
		{name: "clean"},
		{name: "compilers", layers: one(program("/usr/bin/x86_64-linux-gnu-gcc-12", "g"), link("/usr/bin/cc", "x86_64-linux-gnu-gcc-12"), program("/usr/bin/clang++-16", "c"), program("/usr/local/go/bin/go", "g")),
			want: []string{"/usr/bin/cc", "/usr/bin/clang++-16", "/usr/bin/x86_64-linux-gnu-gcc-12", "/usr/local/go/bin/go"}},
		{name: "binutils", layers: one(program("/usr/bin/ld.bfd", "l"), program("/usr/bin/as", "a")), want: []string{"/usr/bin/as", "/usr/bin/ld.bfd"}},
		{name: "in a wheel", layers: one(program("/opt/venv/lib/python3.11/site-packages/ziglang/zig", tinyELF(0x3e))), want: []string{"/opt/venv/lib/python3.11/site-packages/ziglang/zig"}},
		{name: "a flag tool", layers: one(program("/usr/bin/python3.11-config", "p"), program("/usr/bin/pkg-config", "p")), want: []string{"/usr/bin/pkg-config", "/usr/bin/python3.11-config"}},
		{name: "archives, wrappers", layers: one(program("/usr/bin/x86_64-linux-gnu-ar", "a"), program("/usr/bin/ranlib", "r"), program("/usr/local/bin/musl-gcc", "m"), program("/usr/bin/ccache", "c")),
			want: []string{"/usr/bin/ccache", "/usr/bin/ranlib", "/usr/bin/x86_64-linux-gnu-ar", "/usr/local/bin/musl-gcc"}},
		{name: "headers elsewhere", layers: one(file("/opt/py/include/python3.11/Python.h", "h"), file("/usr/x86_64-linux-musl/include/stdio.h", "h"), file("/usr/lib/llvm-14/lib/clang/14/include/stddef.h", "h")),
			want: []string{"/opt/py/include/python3.11/Python.h", "/usr/lib/llvm-14/lib/clang/14/include/stddef.h", "/usr/x86_64-linux-musl/include/stdio.h"}},
		{name: "a header", layers: one(file("/usr/include/stdio.h", "h")), want: []string{"/usr/include/stdio.h"}},
		{name: "headers", layers: one(file("/usr/local/include/python3.11/a.h", "h"), file("/usr/local/include/python3.11/cpython/b.h", "h")), want: []string{"/usr/local/include/python3.11"}},

		{name: "near: the loader", layers: one(program("/usr/lib64/ld-linux-x86-64.so.2", tinyELF(0x3e)), program("/lib/ld-musl-x86_64.so.1", tinyELF(0x3e)), program("/usr/bin/ld.so", tinyELF(0x3e)), program("/usr/sbin/ldconfig", "l"))},
		{name: "near: directories and modules", layers: one(dir("/usr/share/gcc"), dir("/usr/include"), file("/app/as.py", "a"), program("/app/go", "text"), program("/app/ar", "text"), program("/usr/bin/clang-format", "c"))},
		{name: "near: headers of a wheel", layers: one(file("/opt/venv/lib/python3.11/site-packages/numpy/core/include/numpy/arrayobject.h", "h"), file("/opt/venv/include/site/python3.11/greenlet/greenlet.h", "h"))},
	})
}
