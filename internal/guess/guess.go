// Package guess finds out what a directory of Python is: how its program starts, and
// where it listens. It reads text, and runs nothing.
package guess

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/lucid-project/base-images/internal/names"
)

// Project is what was found out.
type Project struct {
	// Name is a name for the service.
	Name string
	// Lists are files that are to be written besides: a list of requirements.
	Lists map[string]string
	// List is the list's name, and Lock that of its lock; empty if there are no packages.
	List, Lock string
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
	p.start(fsys, files, packages)
	return p, nil
}

// leftOut is what is in the directory and in no image.
var leftOut = []string{
	".*", "Dockerfile*", "compose*.y*ml", "docker-compose*.y*ml", "dist", "build", "venv", "tests", "lucidbase*",
	"requirements*", "pyproject.toml", "uv.lock", "poetry.lock", "go.mod", "go.sum", "main.go",
}

func (p *Project) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// serviceName makes the name of an image.
func serviceName(dir string) string {
	return cmp.Or(strings.Trim(notName.ReplaceAllString(strings.ToLower(dir), "-"), "-"), "service")
}

// ErrNoList says that a directory has no list of requirements.
var ErrNoList = errors.New("neither requirements.txt, requirements.in nor pyproject.toml")

var requirement = regexp.MustCompile(`(?m)^\s*([A-Za-z0-9][A-Za-z0-9._-]*)`)

// requirements returns the normalised names of the packages that are asked for.
func (p *Project) requirements(fsys fs.FS) ([]string, error) {
	for _, list := range []string{"requirements.in", "requirements.txt"} {
		text, err := read(fsys, list)
		if err == nil {
			p.List, p.Lock = list, "requirements.lock.txt"
			p.note("packages of %s", list)
			return packageNames(text), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	text, err := read(fsys, "pyproject.toml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoList
	}
	if err != nil {
		return nil, err
	}
	var project struct {
		Project struct {
			Name         string
			Dependencies []string
			Dynamic      []string
		}
		Tool struct {
			Poetry struct{ Dependencies map[string]any }
		}
	}
	if _, err := toml.Decode(text, &project); err != nil {
		return nil, fmt.Errorf("parsing pyproject.toml: %w", err)
	}
	if len(project.Tool.Poetry.Dependencies) > 0 || slices.Contains(project.Project.Dynamic, "dependencies") {
		return nil, errors.New("pyproject.toml: its dependencies are not in [project]: export them to requirements.txt first")
	}
	if project.Project.Name != "" {
		p.Name = serviceName(project.Project.Name)
	}
	if len(project.Project.Dependencies) == 0 {
		return nil, nil
	}
	p.List, p.Lock = "requirements.in", "requirements.lock.txt"
	list := strings.Join(project.Project.Dependencies, "\n") + "\n"
	p.Lists = map[string]string{p.List: list}
	p.note("packages of pyproject.toml, written to requirements.in, which is what is locked")
	return packageNames(list), nil
}

func packageNames(list string) []string {
	var all []string
	for _, m := range requirement.FindAllStringSubmatch(list, -1) {
		all = append(all, names.Normalize(m[1]))
	}
	return all
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
