// Package guess finds out what a directory of Python is: how its program starts, and
// where it listens. It reads text, and runs nothing.
package guess

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Project is what was found out.
type Project struct {
	// Name is a name for the service.
	Name string
	// Lists are files that are to be written besides: a list of requirements.
	Lists map[string]string
	// List is the list's name, and Lock that of its lock; empty if there are no packages.
	List, Lock string
	// System are Debian packages that those of the list need, in order.
	System []string
	// From is the directory of the source, To where it goes.
	From, To string
	Exclude  []string
	Command  []string
	// Port is 0 where nothing listens. Path is that of a health check.
	Port int
	Path string
	// Notes say what was guessed, and from what.
	Notes []string
}

// Read looks at a directory. dir is its name.
func Read(fsys fs.FS, dir string) (Project, error) {
	p := Project{Name: serviceName(dir), From: ".", To: "/app", Exclude: slices.Clone(leftOut)}
	packages, err := p.requirements(fsys)
	if err != nil {
		return Project{}, err
	}
	p.system(packages)
	p.note("name %s", p.Name)
	files, err := sources(fsys)
	if err != nil {
		return Project{}, err
	}
	if isSrcLayout(fsys, files) {
		p.From, p.Exclude = "src", nil
		inside := []source{}
		for _, f := range files {
			if name, ok := strings.CutPrefix(f.name, "src/"); ok {
				inside = append(inside, source{name, f.text})
			}
		}
		files = inside
		p.note("source src, whose packages nobody imports as src.NAME")
	}
	if isPackage(files, dir) {
		p.To = "/app/" + dir
		for i, f := range files {
			files[i].name = dir + "/" + f.name
		}
		p.note("source to %s: the directory is a package itself", p.To)
	}
	p.start(fsys, files, packages)
	return p, nil
}

// leftOut is what is in the directory and in no image.
var leftOut = []string{
	".*", "Dockerfile*", "compose*.y*ml", "docker-compose*.y*ml", "dist", "build", "venv", "tests", "lucidbase*",
	"requirements*", "*system.lock.json", "pyproject.toml", "uv.lock", "poetry.lock", "setup.cfg", "setup.py", "Pipfile*", "go.mod", "go.sum", "main.go",
}

func (p *Project) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// serviceName makes the name of an image.
func serviceName(dir string) string {
	return cmp.Or(strings.Trim(notName.ReplaceAllString(strings.ToLower(dir), "-"), "-"), "service")
}

const (
	maxFile  = 1 << 20
	maxFiles = 5000
)

// read reads a file's text, of which no more than maxFile is looked at.
func read(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	return string(text), err
}

// source is a file of Python.
type source struct{ name, text string }

var skipped = regexp.MustCompile(`^(\..+|__pycache__|node_modules|site-packages|venv|env|tests?|docs?|examples?|migrations|build|dist)$`)

// sources reads the directory's Python; files near its root come first.
func sources(fsys fs.FS) ([]source, error) {
	var all []source
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped.MatchString(d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular() || path.Ext(name) != ".py" || strings.HasPrefix(d.Name(), "test_") || d.Name() == "conftest.py" || d.Name() == "setup.py":
			return nil
		case len(all) == maxFiles:
			return fs.SkipAll
		}
		text, err := read(fsys, name)
		all = append(all, source{name, text})
		return err
	})
	slices.SortStableFunc(all, func(a, b source) int { return strings.Count(a.name, "/") - strings.Count(b.name, "/") })
	return all, err
}

var importsSrc = regexp.MustCompile(`(?m)^\s*(from|import)\s+src\b`)

// isSrcLayout reports whether src is a place for packages, and no package.
func isSrcLayout(fsys fs.FS, files []source) bool {
	if _, err := fs.Stat(fsys, "src/__init__.py"); err == nil {
		return false
	}
	if slices.ContainsFunc(files, func(f source) bool { return importsSrc.MatchString(f.text) }) {
		return false
	}
	inside, err := fs.Glob(fsys, "src/*/__init__.py")
	return err == nil && len(inside) > 0
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// isPackage reports whether the directory, called dir, is a package: none of its
// modules imports another as if it were not.
func isPackage(files []source, dir string) bool {
	var tops []string
	for _, f := range files {
		top, _, _ := strings.Cut(strings.TrimSuffix(f.name, ".py"), "/")
		tops = append(tops, regexp.QuoteMeta(top))
	}
	if !slices.Contains(tops, "__init__") || !identifier.MatchString(dir) {
		return false
	}
	flat := regexp.MustCompile(`(?m)^\s*(from|import)\s+(` + strings.Join(tops, "|") + `)\b`)
	return !slices.ContainsFunc(files, func(f source) bool { return flat.MatchString(f.text) })
}
