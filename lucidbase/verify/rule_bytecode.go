package verify

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// magics are the numbers of CPython's releases by the tag in a file's name
// (Include/internal/pycore_magic_number.h, before 3.13 Lib/importlib/_bootstrap_external.py).
var magics = map[string]int{
	"36": 3379, "37": 3394, "38": 3413, "39": 3425, "310": 3439, "311": 3495, "312": 3531, "313": 3571, "314": 3627,
}

var cached = regexp.MustCompile(`^(.+)\.cpython-([0-9]+)(\.opt-[0-9a-z]+)?\.pyc$`)

// The kinds of findings about bytecode, as they are summed up.
const (
	staleSource = "bytecode of other sources"
	staleTime   = "bytecode that its sources' size or time do not fit"
	otherPython = "bytecode of an interpreter that is not in the image"
	otherMagic  = "bytecode that its interpreter does not read"
)

// checkBytecode judges each .pyc. Where the source is gone the rule cache says so.
func checkBytecode(im *image) []hit {
	tags := im.tags()
	byKind := map[string][]hit{}
	var hits []hit
	im.visible(func(e *entry) {
		c := e.content()
		if path.Ext(e.at) != ".pyc" || c.Kind != Regular {
			return
		}
		if c.Bytecode == nil || c.Problem != "" {
			if c.Problem != "" {
				hits = append(hits, e.hit(c.Problem))
			}
			return
		}
		if kind, found := im.bytecode(e, tags); kind != "" {
			byKind[kind] = append(byKind[kind], e.hit(found))
		}
	})
	kinds := []string{staleSource, staleTime, otherPython, otherMagic}
	return append(hits, sumUp(kinds, byKind, func(kind string, files int, example string) string {
		return fmt.Sprintf("%s: %s, such as %s", kind, about(files, "file"), example)
	})...)
}

// tags are those of the image's interpreters, programs or libraries: "311".
func (im *image) tags() map[string]bool {
	tags := map[string]bool{}
	for _, e := range im.pythons() {
		tags[strings.ReplaceAll(pythonProgram.FindStringSubmatch(path.Base(e.at))[1], ".", "")] = true
	}
	im.loadable(func(e *entry, _ *ELF) {
		if m := libPython.FindStringSubmatch(path.Base(e.at)); m != nil {
			tags[m[1]+m[2]] = true
		}
	})
	return tags
}

var libPython = regexp.MustCompile(`^libpython([0-9]+)\.([0-9]+)t?\.so`)

// bytecode gives the kind of what is wrong with a file; "" for nothing.
func (im *image) bytecode(e *entry, tags map[string]bool) (kind, found string) {
	b := e.content().Bytecode
	dir, base := path.Split(e.at)
	m := cached.FindStringSubmatch(base)
	if path.Base(dir) != "__pycache__" || m == nil {
		return im.sourceless(e, b, tags)
	}
	tag := m[2]
	want, known := magics[tag]
	switch {
	case len(tags) > 0 && !tags[tag]:
		if im.recorded().owner[e.at] != nil {
			return "", "" // a wheel brought it along: nothing reads it
		}
		return otherPython, "bytecode for CPython " + tag[:1] + "." + tag[1:] + ", which is not in the image"
	case known && b.Magic != want:
		return otherMagic, fmt.Sprintf("its magic number is %d, CPython %s.%s has %d", b.Magic, tag[:1], tag[1:], want)
	}
	source := im.regular(path.Join(path.Dir(path.Clean(dir)), m[1]+".py"))
	if source == nil {
		return "", ""
	}
	return stale(b, source.content())
}

// stale compares with the source. Facts have the hash with CPython 3.11's key.
func stale(b *Bytecode, source *File) (kind, found string) {
	const low = 1<<32 - 1 // both are kept in 32 bits
	switch {
	case b.Hash != "":
		if b.Magic == magics["311"] && source.SourceHash != "" && b.Hash != source.SourceHash {
			return staleSource, "made of another source than " + source.Path + ": Python runs what that was"
		}
	case b.Size != source.Size&low:
		return staleTime, fmt.Sprintf("made of a source of %d bytes, %s has %d: Python compiles it again at each start", b.Size, source.Path, source.Size)
	case b.MTime != source.ModTime&low:
		return staleTime, fmt.Sprintf("made of a source of another time (%d) than %s (%d): Python compiles it again at each start", b.MTime, source.Path, source.ModTime)
	}
	return "", ""
}

// sourceless judges a .pyc outside of __pycache__, which Python imports when there
// is no source. One that a wheel published beside a source is its own business; a
// module that it published as bytecode alone must be one that can be imported.
func (im *image) sourceless(e *entry, b *Bytecode, tags map[string]bool) (kind, found string) {
	if path.Base(path.Dir(e.at)) == "__pycache__" || len(tags) == 0 {
		return "", ""
	}
	owner := im.recorded().owner[e.at]
	if owner != nil && im.regular(strings.TrimSuffix(e.at, "c")) != nil {
		return "", ""
	}
	var wanted []int
	for tag := range tags {
		want, known := magics[tag]
		if !known || want == b.Magic {
			return "", ""
		}
		wanted = append(wanted, want)
	}
	slices.Sort(wanted)
	found = fmt.Sprintf("its magic number is %d, the image's Python has %s", b.Magic, strings.Trim(fmt.Sprint(wanted), "[]"))
	if owner != nil {
		found += ": " + owner.String() + " has no source of it, so it cannot be imported"
	}
	return otherMagic, found
}
