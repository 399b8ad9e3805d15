package verify

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// tool is a kind of program that an image must not hold.
type tool struct {
	// what names the kind: "shell".
	what string
	// names match a program's base name; common those that are also the names of
	// other things and count in a directory of programs alone.
	names, common *regexp.Regexp
	// anywhere says that a file with an execute bit and such a name counts outside
	// the directories of programs too, and a link inside them that leads nowhere yet.
	anywhere bool
	// programs are the values of File.Program.
	programs []string
}

// toolSuffix is what people put behind a program's name: "busybox.static",
// "zsh-5.9", "sh.distrib".
const toolSuffix = `([-._]?(static|extras|suid|real|distrib|dpkg-(new|old|tmp|dist)|orig|old|bak|[0-9][0-9.]*))*`

func toolNames(names ...string) *regexp.Regexp {
	return regexp.MustCompile(`^(` + strings.Join(names, "|") + `)` + toolSuffix + `$`)
}

// tools are the programs of one kind in an image.
type tools struct {
	found map[*entry]string
	// at is where they are, true for those that a container sees.
	at map[string]bool
}

// minCopy is the size in bytes from which two programs of the same content are the
// same program; no real one is smaller, and stand-ins and wrappers often are equal.
const minCopy = 8 << 10

// find is findTools, done once.
func (im *image) find(t *tool) tools {
	if im.tools == nil {
		im.tools = map[*tool]tools{}
	}
	ts, ok := im.tools[t]
	if !ok {
		ts = im.findTools(t)
		im.tools[t] = ts
	}
	return ts
}

// findTools gives the tools of a kind, of all layers: by content, by name, as a copy
// or a hard link of one, as a symbolic link to one.
func (im *image) findTools(t *tool) tools {
	ts := tools{map[*entry]string{}, map[string]bool{}}
	copies := map[string]string{}
	dirs := im.programDirs()
	for _, e := range im.entries {
		if found := t.byContentOrName(e, dirs); found != "" {
			ts.add(e, found)
			if c := e.content(); c.Size >= minCopy && c.SHA256 != "" {
				copies[c.SHA256] = e.Path
			}
		}
	}
	for _, e := range im.entries {
		if ts.found[e] != "" || (e.Kind != Regular && e.Kind != Hardlink) {
			continue
		}
		if e.target != nil && ts.found[e.target] != "" {
			ts.add(e, "a hard link to "+e.target.Path+", a "+t.what)
		} else if original := copies[e.content().SHA256]; original != "" {
			ts.add(e, "the same content as "+original+", a "+t.what)
		}
	}
	im.findLinks(t, ts, dirs)
	return ts
}

func (ts tools) add(e *entry, found string) {
	ts.found[e] = found
	ts.at[e.at] = ts.at[e.at] || e.hiddenBy < 0
}

// findLinks adds symbolic links: those to a tool, and those that bear the name of
// one in a directory of programs, even where they lead nowhere yet.
func (im *image) findLinks(t *tool, ts tools, dirs map[string]bool) {
	var names []*entry
	for _, e := range im.entries {
		if e.Kind != Symlink {
			continue
		}
		target := e.Link
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(e.at), target)
		}
		at, n := im.follow(target)
		visible, known := ts.at[at]
		base, goal := path.Base(e.at), n != nil && n.entry != nil
		switch {
		case known && (visible || e.hiddenBy >= 0):
			ts.found[e] = "a link to " + at + ", a " + t.what
		case !dirs[path.Dir(e.at)] || !t.names.MatchString(base):
		case n == nil && t.anywhere:
			ts.found[e] = "a link with the name of a " + t.what + ", to " + e.Link + " which is not there"
		case goal && (n.entry.Kind == Regular || n.entry.Kind == Hardlink):
			ts.found[e] = "a link with the name of a " + t.what + ", to " + at
		default:
			continue
		}
		if ts.found[e] != "" {
			names = append(names, e)
		}
	}
	// Only now: a link's own place is no target of other links, follow resolves them.
	for _, e := range names {
		ts.at[e.at] = ts.at[e.at] || e.hiddenBy < 0
	}
}

func (t *tool) byContentOrName(e *entry, dirs map[string]bool) string {
	if e.Kind != Regular && e.Kind != Hardlink {
		return ""
	}
	c := e.content()
	base, in := path.Base(e.at), dirs[path.Dir(e.at)]
	if c.Program != "" && slices.Contains(t.programs, c.Program) {
		if t.names.MatchString(base) {
			return "a " + t.what + ": " + c.Program
		}
		return "a " + t.what + " by its content: " + c.Program
	}
	linked := c.ELF != nil && c.ELF.Executable
	runs := linked || c.Mode&0o111 != 0 && !isDocumentation(e.at)
	if !runs {
		return ""
	}
	named := t.names.MatchString(base) && (linked || in || t.anywhere)
	if named || t.common != nil && t.common.MatchString(base) && in {
		return "a " + t.what + " by its name"
	}
	return ""
}

// programDirs are the directories that programs are looked for in: those of the
// config's PATH, and all that are called so.
func (im *image) programDirs() map[string]bool {
	dirs := map[string]bool{}
	for _, dir := range im.searchPath() {
		if at, n := im.follow(dir); n != nil {
			dirs[at] = true
		}
	}
	for _, e := range im.entries {
		if e.Mode&0o111 == 0 && e.ELF == nil && e.Shebang == "" || e.Kind == Directory {
			continue
		}
		dir := path.Dir(e.at)
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

// hits gives a finding for each tool.
func (ts tools) hits() []hit {
	var hits []hit
	for e, found := range ts.found {
		hits = append(hits, e.hit(found))
	}
	return hits
}
