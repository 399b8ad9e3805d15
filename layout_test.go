package baseimages_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/lucid-project/base-images/"

// pure packages read no clock, environment, host platform, file or network.
var pure = []string{"lucidbase", "lucidbase/deploy", "lucidbase/lock", "internal/explain", "variants", "llbutil", "internal/supply", "internal/stage", "internal/llbtext", "lucidbase/file", "internal/guess", "internal/migrate"}

// verifyInternal is where what verify reads and asks is.
const verifyInternal = "lucidbase/verify/internal/"

// mayImport lists which packages of ours a package may import; what is not
// listed may import anything but leaves.
var mayImport = map[string][]string{
	"internal/lines":       {},
	"internal/names":       {},
	"internal/offer":       {},
	"lucidbase/lock":       {"internal/lines", "internal/names"},
	"internal/explain":     {"lucidbase/lock", "internal/names"},
	"llbutil":              {"internal/offer"},
	"lucidbase":            {"lucidbase/lock", "llbutil", "lucidbase/verify"},
	"internal/supply":      {"lucidbase", "lucidbase/lock"},
	"internal/stage":       {"lucidbase", "internal/offer", "internal/supply", "lucidbase/lock", "llbutil"},
	"internal/llbtext":     {"lucidbase"},
	"variants":             {"lucidbase", "internal/names", "lucidbase/lock", "llbutil", "internal/stage", "internal/supply", "lucidbase/verify"},
	"internal/guess":       {"internal/names"},
	"lucidbase/command":    {"internal/cli", "lucidbase/engine/embedded", "variants"},
	"lucidbase/file":       {"lucidbase", "internal/names", "lucidbase/lock", "variants"},
	"lucidbase/deploy":     {"lucidbase", "lucidbase/lock", "variants"},
	"internal/migrate":     {"lucidbase/lock", "lucidbase/verify"},
	"internal/keychain":    {},
	"internal/registrytls": {},
	"internal/patient":     {},
	"internal/mirror":      {},
	"internal/certs":       {},
	"internal/docker":      {"internal/certs"},
	"internal/localdir":    {"lucidbase"},
	"internal/atomicfile":  {},
	"internal/checked":     {},

	"lucidbase/rootfs/debian":        {"internal/checked", "internal/mirror", "lucidbase", "lucidbase/lock", "lucidbase/rootfs/internal/deb", "lucidbase/rootfs/internal/tree", "internal/supply", "internal/atomicfile"},
	"lucidbase/rootfs/alpine":        {"internal/checked", "internal/mirror", "lucidbase", "lucidbase/lock", "lucidbase/rootfs/debian", "lucidbase/rootfs/internal/deb", "lucidbase/rootfs/internal/tree", "internal/supply", "internal/patient", "internal/atomicfile", "internal/keychain"},
	"lucidbase/rootfs/internal/deb":  {"lucidbase/lock", "lucidbase/rootfs/internal/tree"},
	"lucidbase/rootfs/internal/tree": {"internal/atomicfile", "lucidbase"},

	"lucidbase/engine":                {"lucidbase/resolve", "internal/checked", "lucidbase", "lucidbase/lock", "internal/supply", "llbutil", "internal/offer", "lucidbase/rootfs/alpine", "lucidbase/rootfs/debian", "lucidbase/verify", "lucidbase/engine/internal/image", "lucidbase/engine/internal/load", "internal/localdir", "internal/docker", "internal/certs", "internal/patient", "internal/atomicfile", "internal/sandbox", "internal/keychain", "internal/registrytls"},
	"lucidbase/engine/internal/image": {"internal/v1image", "internal/checked", "lucidbase", "internal/patient", "internal/atomicfile", "internal/keychain"},
	"lucidbase/engine/internal/load":  {"internal/docker", "lucidbase/engine/internal/image"},
	"internal/reexec":                 {},
	"internal/doctor":                 {"internal/docker", "internal/reexec"},
	"internal/sandbox":                {"internal/reexec"},
	"lucidbase/engine/embedded":       {"lucidbase/engine", "internal/offer", "internal/patient", "internal/reexec", "internal/registrytls"},

	"lucidbase/verify":            {"internal/atomicfile", verifyInternal + "overlay", verifyInternal + "rules", verifyInternal + "scan", verifyInternal + "secrets"},
	verifyInternal + "printable":  {},
	verifyInternal + "match":      {},
	verifyInternal + "elf":        {verifyInternal + "printable"},
	verifyInternal + "python":     {"internal/names", verifyInternal + "printable"},
	verifyInternal + "pysource":   {},
	verifyInternal + "secrets":    {verifyInternal + "match"},
	verifyInternal + "programs":   {verifyInternal + "elf", verifyInternal + "match", verifyInternal + "printable"},
	verifyInternal + "scan":       {verifyInternal + "elf", verifyInternal + "printable", verifyInternal + "programs", verifyInternal + "pysource", verifyInternal + "python", verifyInternal + "secrets"},
	verifyInternal + "overlay":    {"internal/names", verifyInternal + "elf", verifyInternal + "programs", verifyInternal + "pysource", verifyInternal + "python", verifyInternal + "scan"},
	verifyInternal + "rules":      {"internal/names", verifyInternal + "elf", verifyInternal + "overlay", verifyInternal + "pysource", verifyInternal + "python", verifyInternal + "scan", verifyInternal + "secrets"},
	verifyInternal + "verifytest": {},
	"lucidbase/imagesource":       {"internal/checked", "internal/v1image", "lucidbase/verify", "internal/keychain"},
	"internal/v1image":            {},
}

// leaves are imported by the listed packages and examples alone: a program that only
// wants graphs compiles no daemon and none of Kubernetes' types.
var leaves = map[string][]string{
	"lucidbase/engine/embedded": {"cmd/lucidbase", "lucidbase/command", "lucidbase/lucidtest"},
	"lucidbase/deploy":          {"internal/cli"},
}

type sourceFile struct {
	path, pkg string
	ast       *ast.File
}

func sources(t *testing.T) []sourceFile {
	var files []sourceFile
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		require.NoError(t, err)
		files = append(files, sourceFile{path, filepath.ToSlash(filepath.Dir(path)), f})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func (f sourceFile) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

func TestImportDirection(t *testing.T) {
	for _, f := range sources(t) {
		allowed, listed := mayImport[f.pkg]
		for _, path := range f.imports() {
			ours, ok := strings.CutPrefix(path, module)
			if !ok {
				continue
			}
			if listed {
				require.Contains(t, allowed, ours, "%s imports %s", f.path, ours)
			}
			if importers, leaf := leaves[ours]; leaf && !strings.HasPrefix(f.pkg, "examples/") {
				require.Contains(t, importers, f.pkg, "%s imports %s", f.path, ours)
			}
		}
	}
}

// The contract can be used by anybody's program: it knows go-containerregistry, the
// standard library and a few leaf packages of ours, which know the standard library alone.
func TestVerifyStandsAlone(t *testing.T) {
	standard := func(path string) bool {
		host, _, _ := strings.Cut(path, "/")
		return !strings.Contains(host, ".")
	}
	for _, f := range sources(t) {
		verify := f.pkg == "lucidbase/verify" || strings.HasPrefix(f.pkg, "lucidbase/verify/") && f.pkg != verifyInternal+"verifytest"
		leaf := f.pkg == "internal/names" || f.pkg == "internal/atomicfile"
		for _, path := range f.imports() {
			ours, _ := strings.CutPrefix(path, module)
			switch {
			case leaf:
				require.True(t, standard(path), "%s imports %s", f.path, path)
			case verify:
				known := strings.HasPrefix(path, "github.com/google/go-containerregistry/") || strings.HasPrefix(ours, verifyInternal) || ours == "internal/names" || ours == "internal/atomicfile"
				require.True(t, known || standard(path), "%s imports %s", f.path, path)
			}
		}
	}
}

// A function with a context may do I/O, one without may not; a pure package has
// neither a context nor anything to do I/O with.
func TestPurePackages(t *testing.T) {
	forbidden := []string{"context", "os", "os/exec", "net", "net/http", "io/ioutil", "syscall", "runtime", "math/rand"}
	clock := map[string][]string{"time": {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "Local"}}
	for _, f := range sources(t) {
		if !slices.Contains(pure, f.pkg) {
			continue
		}
		for _, path := range f.imports() {
			require.NotContains(t, forbidden, path, f.path)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok {
					require.NotContains(t, clock[x.Name], sel.Sel.Name, "%s uses the clock", f.path)
					require.False(t, x.Name == "platforms" && strings.HasPrefix(sel.Sel.Name, "Default"), "%s asks for the host platform", f.path)
				}
			}
			return true
		})
	}
}

// effects are the functions that do I/O by themselves.
var effects = map[string][]string{
	"os": {
		"Chmod", "Chtimes", "Create", "CreateTemp", "Link", "Lstat", "Mkdir", "MkdirAll", "MkdirTemp", "Open", "OpenFile",
		"ReadDir", "ReadFile", "Remove", "RemoveAll", "Rename", "Stat", "Symlink", "Truncate", "WriteFile",
	},
	"net":      {"Dial", "Listen", "LookupHost"},
	"http":     {"Get", "Head", "Post", "NewRequest"},
	"exec":     {"Command"},
	"filepath": {"Walk", "WalkDir", "Glob", "EvalSymlinks"},
}

// The ctx rule: an exported function of the library that does I/O takes a
// context, and takes it first. Close, which must always work, is the exception.
func TestContextRule(t *testing.T) {
	for _, f := range sources(t) {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			at := contextAt(fn)
			require.LessOrEqual(t, at, 0, "%s: %s takes a context, but not first", f.path, fn.Name.Name)
			library := strings.HasPrefix(f.pkg, "lucidbase/") || f.pkg == "lucidbase" || f.pkg == "variants" || f.pkg == "llbutil"
			if !library || !fn.Name.IsExported() || fn.Name.Name == "Close" || at == 0 || fn.Body == nil {
				continue
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok {
						require.NotContains(t, effects[x.Name], sel.Sel.Name, "%s: %s does I/O without a context", f.path, fn.Name.Name)
					}
				}
				return true
			})
		}
	}
}

// contextAt returns the position of the context parameter, -1 if there is none.
func contextAt(fn *ast.FuncDecl) int {
	for i, field := range fn.Type.Params.List {
		if sel, ok := field.Type.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "context" && sel.Sel.Name == "Context" {
				return i
			}
		}
	}
	return -1
}

// The long tables that "make test" leaves out are all in packages that "make test-long"
// names.
func TestMakeRunsLongTables(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(makefile), "-run '^TestLong' ")
	line, _, _ = strings.Cut(line, "\n")
	dirs := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		source, err := os.ReadFile(file)
		if strings.Contains(string(source), "\nfunc TestLong") {
			dirs["./"+filepath.ToSlash(filepath.Dir(file))] = true
		}
		return err
	}))
	require.ElementsMatch(t, slices.Collect(maps.Keys(dirs)), strings.Fields(line))
}
