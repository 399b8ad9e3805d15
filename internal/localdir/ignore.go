package localdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/lucid-project/base-images/lucidbase"
)

const ignoreFile = ".dockerignore"

// open returns the file system of a directory.
func open(l lucidbase.Local) (fs.FS, error) {
	if l.FS != nil {
		return l.FS, nil
	}
	info, err := os.Stat(l.Dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a directory", l.Dir)
	}
	return os.DirFS(l.Dir), nil
}

// ignored are the patterns that say what is sent.
type ignored struct {
	include, exclude patterns
	// ignore is the .dockerignore.
	ignore patterns
}

// patterns are matched with paths below prefix.
type patterns struct {
	*patternmatcher.PatternMatcher
	prefix string
	// from is where they are from.
	from string
}

func filters(l lucidbase.Local, fsys fs.FS) (ignored, error) {
	var f ignored
	var errs [3]error
	f.include, errs[0] = parse("Include", l.Include)
	f.exclude, errs[1] = parse("Exclude", l.Exclude)
	f.ignore, errs[2] = dockerignore(l, fsys)
	return f, errors.Join(errs[:]...)
}

func parse(from string, all []string) (patterns, error) {
	if len(all) == 0 {
		return patterns{}, nil
	}
	pm, err := patternmatcher.New(all)
	if err != nil {
		return patterns{}, fmt.Errorf("%s: %w", from, err)
	}
	return patterns{PatternMatcher: pm, from: from}, nil
}

// dockerignore reads the nearest one: the directory's own, or that of a directory above
// it in its Git repository.
func dockerignore(l lucidbase.Local, fsys fs.FS) (patterns, error) {
	p, err := readIgnore(fsys, ignoreFile)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || l.FS != nil {
		return p, absent(err)
	}
	dir, err := filepath.Abs(l.Dir)
	if err != nil {
		return patterns{}, err
	}
	for _, above := range inRepository(dir) {
		p, err := readIgnore(os.DirFS(above), filepath.Join(above, ignoreFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		below, errBelow := filepath.Rel(above, dir)
		p.prefix = filepath.ToSlash(below)
		return p, errors.Join(err, errBelow)
	}
	return patterns{}, nil
}

// inRepository returns a directory and those above it, up to the root of its Git
// repository; none where it is in no repository.
func inRepository(dir string) (all []string) {
	for at := dir; ; at = filepath.Dir(at) {
		all = append(all, at)
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return all
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// absent returns no error for a file that is not there.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readIgnore reads the .dockerignore at the root of fsys; shown is what errors call it.
func readIgnore(fsys fs.FS, shown string) (patterns, error) {
	file, err := fsys.Open(ignoreFile)
	if err != nil {
		return patterns{}, err
	}
	defer file.Close()
	all, err := ignorefile.ReadAll(file)
	if err != nil {
		return patterns{}, fmt.Errorf("%s: %w", shown, err)
	}
	return parse(shown, all)
}

// match reports whether a path, or a directory that it is in, is matched.
func (p patterns) match(name string) bool {
	if p.PatternMatcher == nil {
		return false
	}
	matched, err := p.MatchesOrParentMatches(path.Join(p.prefix, name))
	return err == nil && matched // the patterns were compiled before
}

// file reports whether a file is left out.
func (f ignored) file(name string) bool {
	return f.include.PatternMatcher != nil && !f.include.match(name) || f.exclude.match(name) || f.ignore.match(name)
}

// tree reports whether a whole directory is left out.
func (f ignored) tree(name string, d fs.DirEntry) bool {
	out := func(p patterns) bool { return p.match(name) && !p.Exclusions() }
	return d.IsDir() && (out(f.exclude) || out(f.ignore))
}

// by says what may have left out everything.
func (f ignored) by() string {
	var from []string
	for _, p := range []patterns{f.include, f.exclude, f.ignore} {
		if p.PatternMatcher != nil {
			from = append(from, p.from)
		}
	}
	if len(from) == 0 {
		return ""
	}
	return " that " + strings.Join(from, " and ") + " let through"
}
