package migrate

import (
	"io/fs"
	"path"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// maxFiles is how many files of a context are looked at.
const maxFiles = 50000

// maxKey is how much of a file is looked at that may be a key.
const maxKey = 64 << 10

// secretsIn finds the secrets in a directory that is copied, and returns the patterns
// that leave them out.
func (m *migration) secretsIn(s source) []string {
	ignore := m.ignore
	var found []string
	n := 0
	_ = fs.WalkDir(m.Context, s.from, func(name string, d fs.DirEntry, err error) error { // what cannot be read is for the build to say
		n++
		switch {
		case err != nil || n > maxFiles:
			return fs.SkipAll
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == ".venv"):
			return fs.SkipDir
		case d.IsDir() || s.include != nil && !included(s, name):
			return nil
		}
		if ignore != nil {
			if out, err := ignore.MatchesOrParentMatches(name); err == nil && out {
				return nil
			}
		}
		if what := verify.SecretFile("/"+name, m.key(name)); what != "" {
			m.secret(name, what, s.line)
			found = append(found, rel("/"+name, path.Clean("/"+s.from)))
		}
		return nil
	})
	return found
}

// included reports whether a file is one that a source includes.
func included(s source, name string) bool {
	return path.Dir(name) == path.Clean(s.from) && slices.ContainsFunc(s.include, func(pattern string) bool {
		ok, _ := path.Match(pattern, path.Base(name)) // a wrong pattern matches nothing
		return ok
	})
}

// key is the beginning of a file that may be a key.
func (m *migration) key(name string) []byte {
	switch path.Ext(name) {
	case ".pem", ".key", ".crt", ".cert":
	default:
		return nil
	}
	data, err := fs.ReadFile(m.Context, name)
	if err != nil {
		return nil
	}
	return data[:min(len(data), maxKey)]
}

// ignorePatterns are those of the context's .dockerignore, nil for none.
func ignorePatterns(context fs.FS) *patternmatcher.PatternMatcher {
	f, err := context.Open(".dockerignore")
	if err != nil {
		return nil
	}
	defer f.Close()
	all, err := ignorefile.ReadAll(f)
	if err != nil {
		return nil
	}
	pm, err := patternmatcher.New(all)
	if err != nil {
		return nil
	}
	return pm
}

// ignored says where a .dockerignore is not read: that of a directory counts, or one
// above it in its Git repository.
func (m *migration) ignored(from string) {
	if from == "." || m.ignore == nil {
		return
	}
	if _, err := fs.Stat(m.Context, ".git"); err != nil {
		m.left(1, ".dockerignore beside the Dockerfile", "it counts for a directory below it in a Git repository alone: copy what matters into exclude")
	}
}
