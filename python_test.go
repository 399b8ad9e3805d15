package baseimages_test

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// mayNamePython are the files that have a version of Python of their own, each for
// another reason than to say which one images have.
var mayNamePython = []string{
	"lucidbase/lock/python.go",
	"lucidbase/verify/internal/rules/bytecode.go",   // a table of all versions; whose hash is computed
	"lucidbase/verify/internal/verifytest/image.go", // an image like any other
	"lucidbase/verify/internal/verifytest/elf.go",   // its directory
	"internal/alpinetest/alpinetest.go",             // a tag and a file that are there
	"internal/stage/cc.py",                          // a script's first line cannot compute
	"internal/stage/markers.py",                     // patch versions of one image's tags
}

// The version of Python is in one place. Comments may name it; what works with it
// follows from there, or from the Python that runs a script.
func TestPythonIsNamedOnce(t *testing.T) {
	require.Equal(t, "3.11", lock.PythonMinor, "then change the packages of debian12.toml and the tag in alpine.json")
	digits := strings.ReplaceAll(lock.PythonMinor, ".", "")
	named := regexp.MustCompile(`\b(python|pydoc|config-)?` + strings.ReplaceAll(regexp.QuoteMeta(lock.PythonMinor), `\.`, `\\?\.`) + `\b|\bcp` + digits + `\b|"` + digits + `"|-` + digits + `\b`)
	found := map[string]bool{}
	for _, f := range sources(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && named.MatchString(lit.Value) {
				found[filepath.ToSlash(f.path)] = true
			}
			return true
		})
	}
	scripts, err := filepath.Glob("internal/stage/*.py")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			code, _, _ := strings.Cut(line, "# ")
			if named.MatchString(code) {
				found[filepath.ToSlash(script)] = true
			}
		}
	}
	for file := range found {
		require.True(t, slices.Contains(mayNamePython, file), "%s names a version of Python", file)
	}
	for _, file := range mayNamePython {
		require.True(t, found[file], "%s names none: it need not be excused", file)
	}
}
