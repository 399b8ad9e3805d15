package verify

import (
	"path"
	"strings"
)

// shells are those that a person can type commands into or a program start with
// "-c"; "rc", "nu" and the like are also other things' names.
var shells = &tool{
	what: "shell",
	names: toolNames("sh", "bash", "rbash", "dash", "ash", "hush", "zsh", "rzsh", "r?ksh(93|88|sh)?", "[lmp]ksh", "oksh", "loksh",
		"fish", "b?csh", "bsd-csh", "tcsh", "scsh", "yash", "posh", "bosh", "obosh", "pbosh", "jsh", "sash", "ssash", "busybox", "toybox",
		"elvish", "xonsh", "pwsh", "powershell", "nushell", "osh", "ysh", "murex", "static-sh"),
	common:   toolNames("rc", "nu", "es", "ion", "oil", "wsh", "mrsh", "rsh", "ngs", "gosh", "brush"),
	anywhere: true,
	programs: []string{
		"sh", "shell", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "pdksh", "oksh", "fish", "csh", "tcsh", "yash", "posh", "bosh",
		"sash", "busybox", "toybox", "elvish", "nu", "nushell", "rc", "es", "gosh", "pwsh", "xonsh", "osh", "brush", "hush",
	},
}

func checkShell(im *image) []hit { return im.find(shells).hits() }

// isShellName tells by a program's name alone; it need not be in the image.
func isShellName(program string) bool {
	base := path.Base(program)
	return shells.names.MatchString(base) || base == "rc" || base == "nu"
}

// checkScript looks at files that can be run. A shebang whose shell is not there
// runs nothing, and Python's console scripts are no business of this rule.
func checkScript(im *image) []hit {
	var hits []hit
	ts := im.find(shells)
	dirs := im.programDirs()
	for _, e := range im.entries {
		c := e.content()
		if c.Shebang == "" || e.Kind == Symlink || (c.Mode&0o111 == 0 && !dirs[path.Dir(e.at)]) {
			continue
		}
		if shell := im.shellOf(c.Shebang, ts, e.hiddenBy < 0); shell != "" {
			hits = append(hits, e.hit("a script of "+shell+", which is in the image"))
		}
	}
	return hits
}

// isApplet tells a program of BusyBox or Toybox that is no shell: what these do is
// decided by the name that they are called by.
func isApplet(called, at string, n *node) bool {
	many := multicall.MatchString(path.Base(at))
	if n != nil && n.entry != nil {
		program := n.entry.content().Program
		many = many || program == "busybox" || program == "toybox"
	}
	return many && !isShellName(called)
}

var multicall = toolNames("busybox", "toybox")

// shellOf gives the shell that a shebang line leads to, "" when it is none of
// the image's. One that was deleted counts for what was deleted too.
func (im *image) shellOf(shebang string, ts tools, visible bool) string {
	is := func(p string) bool {
		at, n := im.follow(p)
		seen, known := ts.at[at]
		return known && (seen || !visible) && !isApplet(p, at, n)
	}
	words := strings.Fields(shebang)
	if len(words) == 0 {
		return ""
	}
	if is(words[0]) {
		return words[0]
	}
	if path.Base(words[0]) != "env" {
		return ""
	}
	name := wrapped(words)
	if len(name) == 0 {
		return ""
	}
	if strings.Contains(name[0], "/") {
		if is(name[0]) {
			return name[0]
		}
		return ""
	}
	for _, dir := range im.searchPath() {
		if p := path.Join(dir, name[0]); is(p) {
			return p
		}
	}
	return ""
}
