package scan

import (
	"bytes"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// moduleSink reads a Python source that can be of an application.
type moduleSink struct {
	s    *scanner
	data []byte
	over bool
}

func (m *moduleSink) write(p []byte) error {
	if m.over = m.over || len(m.data)+len(p) > pysource.MaxSize; !m.over {
		m.data = append(m.data, p...)
	}
	return nil
}

func (m *moduleSink) finish(f *File) error {
	f.Module = unread
	if m.over || m.s.modules >= m.s.limits.modules {
		return nil
	}
	f.Module = pysource.Parse(m.data)
	m.s.modules += moduleSize(f.Module)
	return nil
}

// unread is shared: a layer can have many.
var unread = &pysource.Module{Unread: true}

// moduleSize is about how many bytes of memory a module takes.
func moduleSize(m *pysource.Module) int {
	size := 128
	for _, list := range [][]string{m.Names, m.Sets} {
		for _, n := range list {
			size += 16 + len(n)
		}
	}
	for _, s := range m.Steps {
		size += 128 + len(s.Module) + 16*len(s.Names)
		for _, n := range s.Names {
			size += len(n)
		}
	}
	return size
}

// hookSink looks in the __init__.py of an installed package for what makes submodules
// that no file shows. Words are enough: who has none does nothing of the kind.
type hookSink struct{ found bool }

var hookWords = [][]byte{[]byte("sys.modules"), []byte("__path__"), []byte("meta_path"), []byte("extend_path"), []byte("declare_namespace"), []byte("initpkg"), []byte("exec(")}

func (h *hookSink) write(p []byte) error {
	h.found = h.found || len(p) == BlockSize // a word can be cut; no real one is so large
	for _, word := range hookWords {
		h.found = h.found || bytes.Contains(p, word)
	}
	return nil
}

func (h *hookSink) finish(f *File) error {
	if h.found {
		f.Module = &pysource.Module{Unread: true, Hooked: true}
	}
	return nil
}

// moduleOf returns the sink of a source: one in a directory of installed modules is not
// an application's.
func moduleOf(f *File, s *scanner) sink {
	if path.Ext(f.Path) != ".py" {
		if strings.Contains(f.Shebang, "python") || strings.Contains(f.Trampoline, "python") {
			return &moduleSink{s: s}
		}
		return nil
	}
	for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
		if python.IsSiteDir(dir) {
			if path.Base(f.Path) == "__init__.py" {
				return &hookSink{}
			}
			return nil
		}
	}
	return &moduleSink{s: s}
}
