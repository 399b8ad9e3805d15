package overlay

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// wrappers start the program that their arguments name; the number is how many
// arguments of their own stand before it, options aside.
var wrappers = map[string]int{
	"env": 0, "tini": 0, "tini-static": 0, "dumb-init": 0, "catatonit": 0, "docker-init": 0, "exec": 0, "nohup": 0, "nice": 0, "setsid": 0,
	"stdbuf": 0, "setpriv": 0, "gosu": 1, "su-exec": 1, "chroot": 1, "timeout": 1, "s6-setuidgid": 1,
}

// inits are those whose options end before "--".
var inits = map[string]bool{"tini": true, "tini-static": true, "dumb-init": true, "catatonit": true, "docker-init": true}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// Wrapped returns what a wrapper starts, nil when argv is no wrapper's. sure is set where
// it is no value of an option instead: nothing stands before it, or "--".
func Wrapped(argv []string) (program []string, sure bool) {
	skip, ok := wrappers[path.Base(argv[0])]
	if !ok {
		return nil, false
	}
	if end := slices.Index(argv, "--"); end > 1 && end+1 < len(argv) && inits[path.Base(argv[0])] && strings.HasPrefix(argv[1], "-") {
		return argv[end+1:], true
	}
	sure = true
	for i, arg := range argv[1:] {
		switch {
		case arg == "--":
			sure = true
		case strings.HasPrefix(arg, "-"):
			sure = false
		case path.Base(argv[0]) == "env" && assignment.MatchString(arg):
		case skip > 0:
			skip--
		default:
			return argv[1+i:], sure
		}
	}
	return nil, false
}

// Shells are those that a person can type commands into or a program start with
// "-c"; "rc", "nu" and the like are also other things' names.
var Shells = &Tool{
	What: "shell",
	Names: ToolNames("sh", "bash", "rbash", "dash", "ash", "hush", "zsh", "rzsh", "r?ksh(93|88|sh)?", "[lmp]ksh", "oksh", "loksh",
		"fish", "b?csh", "bsd-csh", "tcsh", "scsh", "yash", "posh", "bosh", "obosh", "pbosh", "jsh", "sash", "ssash", "busybox", "toybox",
		"elvish", "xonsh", "pwsh", "powershell", "nushell", "osh", "ysh", "murex", "static-sh"),
	Common:   ToolNames("rc", "nu", "es", "ion", "oil", "wsh", "mrsh", "rsh", "ngs", "gosh", "brush"),
	anywhere: true,
	Programs: []string{
		"sh", "shell", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "pdksh", "oksh", "fish", "csh", "tcsh", "yash", "posh", "bosh",
		"sash", "busybox", "toybox", "elvish", "nu", "nushell", "rc", "es", "gosh", "pwsh", "xonsh", "osh", "brush", "hush",
	},
}

// IsShellName reports whether a program is called like a shell; it need not be in the
// image.
func IsShellName(program string) bool {
	base := path.Base(program)
	return Shells.Names.MatchString(base) || base == "rc" || base == "nu"
}

// IsApplet reports whether a file is BusyBox or Toybox and called as no shell: what these do is
// decided by the name that they are called by.
func IsApplet(called, at string, n *Node) bool {
	many := multicall.MatchString(path.Base(at))
	if n != nil && n.Entry != nil {
		program := n.Entry.Content().Program
		many = many || program == "busybox" || program == "toybox"
	}
	return many && !IsShellName(called)
}

var multicall = ToolNames("busybox", "toybox")

// ShellOf returns the shell that a shebang line leads to, "" when it is none of
// the image's. One that was deleted counts for what was deleted too.
func (im *Image) ShellOf(shebang string, ts Tools, visible bool) string {
	is := func(p string) bool {
		at, n := im.Follow(p)
		seen, known := ts.at[at]
		return known && (seen || !visible) && !IsApplet(p, at, n)
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
	name, _ := Wrapped(words)
	if len(name) == 0 {
		return ""
	}
	if strings.Contains(name[0], "/") {
		if is(name[0]) {
			return name[0]
		}
		return ""
	}
	for _, dir := range im.SearchPath() {
		if p := path.Join(dir, name[0]); is(p) {
			return p
		}
	}
	return ""
}
