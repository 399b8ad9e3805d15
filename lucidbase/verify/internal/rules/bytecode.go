package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var bytecodeRule = Rule{
	Name:    "bytecode",
	Summary: "each .pyc fits its source, and an interpreter of the image",
	Why:     "Python runs code that is not in the source, or compiles it again at each start",
	Fix:     "compile after the last change of the sources, with the image's own Python (PEP 552: unchecked-hash)",
	Check:   checkBytecode,
}

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
func checkBytecode(im *overlay.Image) []overlay.Hit {
	tags := tags(im)
	byKind := map[string][]overlay.Hit{}
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		c := e.Content()
		if path.Ext(e.At) != ".pyc" || c.Kind != scan.Regular {
			return
		}
		if c.Bytecode == nil || c.Problem != "" {
			if c.Problem != "" {
				hits = append(hits, e.Hit(c.Problem))
			}
			return
		}
		if kind, found := bytecode(im, e, tags); kind != "" {
			byKind[kind] = append(byKind[kind], e.Hit(found))
		}
	})
	kinds := []string{staleSource, staleTime, otherPython, otherMagic}
	return append(hits, overlay.SumUp(kinds, byKind, func(kind string, files int, example string) string {
		return fmt.Sprintf("%s: %s, such as %s", kind, overlay.Number(files, "file"), example)
	})...)
}

// tags are those of the image's interpreters, programs or libraries: "311".
func tags(im *overlay.Image) map[string]bool {
	tags := map[string]bool{}
	for _, e := range im.Pythons() {
		tags[strings.ReplaceAll(overlay.PythonProgram.FindStringSubmatch(path.Base(e.At))[1], ".", "")] = true
	}
	im.Loadable(func(e *overlay.Entry, _ *elf.File) {
		if m := libPython.FindStringSubmatch(path.Base(e.At)); m != nil {
			tags[m[1]+m[2]] = true
		}
	})
	return tags
}

var libPython = regexp.MustCompile(`^libpython([0-9]+)\.([0-9]+)t?\.so`)

// bytecode returns the kind of what is wrong with a file; "" for nothing.
func bytecode(im *overlay.Image, e *overlay.Entry, tags map[string]bool) (kind, found string) {
	b := e.Content().Bytecode
	dir, base := path.Split(e.At)
	m := cached.FindStringSubmatch(base)
	if path.Base(dir) != "__pycache__" || m == nil {
		return sourceless(im, e, b, tags)
	}
	tag := m[2]
	want, known := magics[tag]
	switch {
	case len(tags) > 0 && !tags[tag]:
		if im.Records().Owner[e.At] != nil {
			return "", "" // a wheel brought it along: nothing reads it
		}
		return otherPython, "bytecode for CPython " + tag[:1] + "." + tag[1:] + ", which is not in the image"
	case known && b.Magic != want:
		return otherMagic, fmt.Sprintf("its magic number is %d, CPython %s.%s has %d", b.Magic, tag[:1], tag[1:], want)
	}
	source := im.Regular(path.Join(path.Dir(path.Clean(dir)), m[1]+".py"))
	if source == nil {
		return "", ""
	}
	return stale(b, source.Content())
}

// stale compares with the source. Facts have the hash with CPython 3.11's key.
func stale(b *python.Bytecode, source *scan.File) (kind, found string) {
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
func sourceless(im *overlay.Image, e *overlay.Entry, b *python.Bytecode, tags map[string]bool) (kind, found string) {
	if path.Base(path.Dir(e.At)) == "__pycache__" || len(tags) == 0 {
		return "", ""
	}
	owner := im.Records().Owner[e.At]
	if owner != nil && im.Regular(strings.TrimSuffix(e.At, "c")) != nil {
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
