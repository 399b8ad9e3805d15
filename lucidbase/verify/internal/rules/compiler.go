package rules

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var compilerRule = Rule{
	Name:    "compiler",
	Summary: "no compiler, linker, build tool, and no header files in the system's include directories",
	Why:     "with it an intruder builds on the spot what the image does not have",
	Fix:     "compile in a build stage, and copy only the result",
	Check:   checkCompiler,
}

// triplet is the target that a cross tool's name starts with.
const triplet = `([a-z0-9_]+-([a-z0-9_]+-)?linux-(gnu|musl)[a-z0-9]*-)?`

// compilers leaves the loader (ld.so, ld-linux, ld-musl), ldconfig and what only
// reads programs alone: a container needs the one, and the others build nothing.
var compilers = &overlay.Tool{
	What: "compiler or build tool",
	Names: overlay.ToolNames(triplet+`(gcc|g\+\+|cc|c\+\+|cpp|gfortran|gdc|gccgo|gnat[a-z]*)`, `(gcc|cc1|cc1plus|f951|go1|cc1obj|lto1|lto-wrapper|collect2)`,
		"gcc-(ar|nm|ranlib)", "c89|c99|c89-gcc|c99-gcc", `clang(\+\+|-cpp|-cl)?`, "flang(-new)?", "llc", "llvm-config", "lld", "mold", "wild",
		triplet+`ld(\.(bfd|gold|lld|mold))?`, triplet+"as", "gas", "nasm", "yasm", "tcc", "zig", "g?make", "bmake", "cmake", "ninja|ninja-build|samu",
		"meson", "bazel|bazelisk", "scons", "rustc|rustup", "gofmt", "javac|ecj", "kotlinc|scalac", "nvcc", "icx|icpx|icc|icpc", "ghc", "ocamlc|ocamlopt",
		"fpc", "ldc2|dmd", "swiftc", "nim", "crystal", "f77|f90|f95", "bcc", triplet+"pkg-config|pkgconf", triplet+`python[0-9.]*d?-config`, "autoconf|automake|libtool|libtoolize|m4|bison|flex", "ccache|sccache|distcc", "musl-(gcc|clang)"),
	Common:   overlay.ToolNames("go", "as", "ld", triplet+"(ar|ranlib)"),
	Programs: []string{"gcc", "cc1", "cc1plus", "clang", "as", "gas", "ld", "gold", "lld", "mold", "collect2", "lto1", "zig", "tcc", "go", "rustc", "nasm", "yasm", "make", "cmake", "ninja", "javac"},
}

func checkCompiler(im *overlay.Image) []overlay.Hit {
	headers := overlay.NewGroups()
	for _, e := range im.Entries {
		if e.Kind == scan.Regular || e.Kind == scan.Hardlink {
			if root := headerRoot(e.At); root != "" {
				headers.Add(e, root)
			}
		}
	}
	return append(im.Tools(compilers).Hits(), headers.Hits(func(g *overlay.Group) string {
		if len(g.Entries) == 1 {
			return "a header file of a compiler"
		}
		return fmt.Sprintf("%d header files of a compiler, such as %s", len(g.Entries), path.Base(g.Entries[0].At))
	})...)
}

// crossPrefix is the root of another target's files, pythonHeader an interpreter's
// own header wherever that is installed.
var (
	crossPrefix  = regexp.MustCompile(`^(/usr(/local)?)?/[a-z0-9_]+-([a-z0-9_]+-)?linux-(gnu|musl)[a-z0-9]*$`)
	pythonHeader = regexp.MustCompile(`^python[0-9.]+[a-z]?/(Python|pyconfig)\.h$`)
)

// headerRoot returns the include directory of the system or of a compiler that a
// path is in. Headers in site-packages or a venv come with wheels and are theirs.
func headerRoot(at string) string {
	for _, root := range []string{"/usr/include", "/usr/local/include", "/include"} {
		if strings.HasPrefix(at, root+"/") {
			return root
		}
	}
	i := strings.Index(at, "/include/")
	if i < 0 {
		return ""
	}
	prefix, rest := at[:i], at[i+len("/include/"):]
	if strings.Contains(prefix, "/lib/gcc/") || strings.Contains(prefix, "/lib/clang/") || crossPrefix.MatchString(prefix) || pythonHeader.MatchString(rest) {
		return prefix + "/include"
	}
	return ""
}
