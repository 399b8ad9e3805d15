package overlay

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Tool is a kind of program that an image must not hold.
type Tool struct {
	// What names the kind: "shell".
	What string
	// Names match a program's base name; common those that are also the names of
	// other things and count in a directory of programs alone.
	Names, Common *regexp.Regexp
	// anywhere says that a file with an execute bit and such a name counts outside
	// the directories of programs too, and a link inside them that leads nowhere yet.
	anywhere bool
	// Programs are the values of File.Program.
	Programs []string
}

// toolSuffix is what people put behind a program's name: "busybox.static",
// "zsh-5.9", "sh.distrib".
const toolSuffix = `([-._]?(static|extras|suid|real|distrib|dpkg-(new|old|tmp|dist)|orig|old|bak|[0-9][0-9.]*))*`

// ToolNames returns what matches these names, which are expressions, also with what people
// put behind a name.
func ToolNames(names ...string) *regexp.Regexp {
	return regexp.MustCompile(`^(` + strings.Join(names, "|") + `)` + toolSuffix + `$`)
}

// Tools are the programs of one kind in an image.
type Tools struct {
	Found map[*Entry]string
	// at is where they are, true for those that a container sees.
	at map[string]bool
}

// MinCopy is the size in bytes from which two programs of the same content are the
// same program; no real one is smaller, and stand-ins and wrappers often are equal.
const MinCopy = 8 << 10

// Tools is findTools, done once.
func (im *Image) Tools(t *Tool) Tools {
	if im.tools == nil {
		im.tools = map[*Tool]Tools{}
	}
	ts, ok := im.tools[t]
	if !ok {
		ts = im.findTools(t)
		im.tools[t] = ts
	}
	return ts
}

// findTools returns the tools of a kind, of all layers: by content, by name, as a copy
// or a hard link of one, as a symbolic link to one.
func (im *Image) findTools(t *Tool) Tools {
	ts := Tools{map[*Entry]string{}, map[string]bool{}}
	copies := map[string]string{}
	dirs := im.ProgramDirs()
	for _, e := range im.Entries {
		if found := t.byContentOrName(e, dirs); found != "" {
			ts.add(e, found)
			if c := e.Content(); c.Size >= MinCopy && c.SHA256 != "" {
				copies[c.SHA256] = e.Path
			}
		}
	}
	for _, e := range im.Entries {
		if ts.Found[e] != "" || (e.Kind != scan.Regular && e.Kind != scan.Hardlink) {
			continue
		}
		if e.Target != nil && ts.Found[e.Target] != "" {
			ts.add(e, "a hard link to "+e.Target.Path+", a "+t.What)
		} else if original := copies[e.Content().SHA256]; original != "" {
			ts.add(e, "the same content as "+original+", a "+t.What)
		}
	}
	im.findLinks(t, ts, dirs)
	return ts
}

func (ts Tools) add(e *Entry, found string) {
	ts.Found[e] = found
	ts.at[e.At] = ts.at[e.At] || e.HiddenBy < 0
}

// findLinks adds symbolic links: those to a tool, and those that bear the name of
// one in a directory of programs, even where they lead nowhere yet.
func (im *Image) findLinks(t *Tool, ts Tools, dirs map[string]bool) {
	var names []*Entry
	for _, e := range im.Entries {
		if e.Kind != scan.Symlink {
			continue
		}
		target := e.Link
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(e.At), target)
		}
		at, n := im.Follow(target)
		visible, known := ts.at[at]
		base, goal := path.Base(e.At), n != nil && n.Entry != nil
		switch {
		case known && (visible || e.HiddenBy >= 0):
			ts.Found[e] = "a link to " + at + ", a " + t.What
		case !dirs[path.Dir(e.At)] || !t.Names.MatchString(base):
		case n == nil && t.anywhere:
			ts.Found[e] = "a link with the name of a " + t.What + ", to " + e.Link + " which is not there"
		case goal && (n.Entry.Kind == scan.Regular || n.Entry.Kind == scan.Hardlink):
			ts.Found[e] = "a link with the name of a " + t.What + ", to " + at
		default:
			continue
		}
		if ts.Found[e] != "" {
			names = append(names, e)
		}
	}
	// Only now: a link's own place is no target of other links, follow resolves them.
	for _, e := range names {
		ts.at[e.At] = ts.at[e.At] || e.HiddenBy < 0
	}
}

func (t *Tool) byContentOrName(e *Entry, dirs map[string]bool) string {
	if e.Kind != scan.Regular && e.Kind != scan.Hardlink {
		return ""
	}
	c := e.Content()
	base, in := path.Base(e.At), dirs[path.Dir(e.At)]
	if c.Program != "" && slices.Contains(t.Programs, c.Program) {
		if t.Names.MatchString(base) {
			return "a " + t.What + ": " + c.Program
		}
		return "a " + t.What + " by its content: " + c.Program
	}
	linked := c.ELF != nil && c.ELF.Executable
	runs := linked || c.Mode&0o111 != 0 && !isDocumentation(e.At)
	if !runs {
		return ""
	}
	named := t.Names.MatchString(base) && (linked || in || t.anywhere)
	if named || t.Common != nil && t.Common.MatchString(base) && in {
		return "a " + t.What + " by its name"
	}
	return ""
}

// ProgramDirs are the directories that programs are looked for in: those of the
// config's PATH, and all that are called so.
func (im *Image) ProgramDirs() map[string]bool {
	dirs := map[string]bool{}
	for _, dir := range im.SearchPath() {
		if at, n := im.Follow(dir); n != nil {
			dirs[at] = true
		}
	}
	for _, e := range im.Entries {
		if e.Mode&0o111 == 0 && e.ELF == nil && e.Shebang == "" || e.Kind == scan.Directory {
			continue
		}
		dir := path.Dir(e.At)
		switch path.Base(dir) {
		case "bin", "sbin", "libexec":
			dirs[dir] = true
		}
	}
	return dirs
}

func isDocumentation(at string) bool {
	for _, dir := range []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/info/", "/usr/share/bash-completion/", "/etc/bash_completion.d/"} {
		if strings.HasPrefix(at, dir) {
			return true
		}
	}
	return strings.Contains(at, "/docs/")
}

// Hits returns a finding for each tool.
func (ts Tools) Hits() []Hit {
	var hits []Hit
	for e, found := range ts.Found {
		hits = append(hits, e.Hit(found))
	}
	return hits
}
