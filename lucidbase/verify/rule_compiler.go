package verify

import (
	"fmt"
	"path"
	"strings"
)

// triplet is the target that a cross tool's name starts with.
const triplet = `([a-z0-9_]+-([a-z0-9_]+-)?linux-(gnu|musl)[a-z0-9]*-)?`

// compilers leaves the loader (ld.so, ld-linux, ld-musl), ldconfig and what only
// reads programs alone: a container needs the one, and the others build nothing.
var compilers = &tool{
	what: "compiler or build tool",
	names: toolNames(triplet+`(gcc|g\+\+|cc|c\+\+|cpp|gfortran|gdc|gccgo|gnat[a-z]*)`, `(gcc|cc1|cc1plus|f951|go1|cc1obj|lto1|lto-wrapper|collect2)`,
		"gcc-(ar|nm|ranlib)", "c89|c99|c89-gcc|c99-gcc", `clang(\+\+|-cpp|-cl)?`, "flang(-new)?", "llc", "llvm-config", "lld", "mold", "wild",
		triplet+`ld(\.(bfd|gold|lld|mold))?`, triplet+"as", "gas", "nasm", "yasm", "tcc", "zig", "g?make", "bmake", "cmake", "ninja|ninja-build|samu",
		"meson", "bazel|bazelisk", "scons", "rustc|rustup", "gofmt", "javac|ecj", "kotlinc|scalac", "nvcc", "icx|icpx|icc|icpc", "ghc", "ocamlc|ocamlopt",
		"fpc", "ldc2|dmd", "swiftc", "nim", "crystal", "f77|f90|f95", "bcc", triplet+"pkg-config|pkgconf", triplet+`python[0-9.]*d?-config`, "autoconf|automake|libtoolize"),
	common:   toolNames("go", "as", "ld"),
	programs: []string{"gcc", "cc1", "cc1plus", "clang", "as", "gas", "ld", "gold", "lld", "mold", "collect2", "lto1", "zig", "tcc", "go", "rustc", "nasm", "yasm", "make", "cmake", "ninja", "javac"},
}

func checkCompiler(im *image) []hit {
	headers := newGroups()
	for _, e := range im.entries {
		if e.Kind == Regular || e.Kind == Hardlink {
			if root := headerRoot(e.at); root != "" {
				headers.add(e, root)
			}
		}
	}
	return append(im.find(compilers).hits(), headers.hits(func(g *group) string {
		if len(g.entries) == 1 {
			return "a header file of a compiler"
		}
		return fmt.Sprintf("%d header files of a compiler, such as %s", len(g.entries), path.Base(g.entries[0].at))
	})...)
}

// headerRoot gives the include directory of the system or of a compiler that a
// path is in. Headers in site-packages or a venv come with wheels and are theirs.
func headerRoot(at string) string {
	for _, root := range []string{"/usr/include", "/usr/local/include", "/include"} {
		if strings.HasPrefix(at, root+"/") {
			return root
		}
	}
	if i := strings.Index(at, "/include/"); i > 0 && strings.Contains(at[:i], "/lib/gcc/") {
		return at[:i] + "/include"
	}
	return ""
}

func checkPacked(im *image) []hit {
	var hits []hit
	for _, e := range im.entries {
		if e.content().Program == "upx" {
			hits = append(hits, e.hit("an executable packed with UPX"))
		}
	}
	return hits
}
