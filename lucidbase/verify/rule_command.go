package verify

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

func checkCommand(im *image) []hit {
	c := im.config.Config
	field, argv := "config:Cmd", append(append([]string{}, c.Entrypoint...), c.Cmd...)
	if len(c.Entrypoint) > 0 {
		field = "config:Entrypoint"
	}
	if len(argv) == 0 {
		return atConfig(field, "neither an entrypoint nor a command")
	}
	return im.command(field, argv)
}

func checkHealthcheck(im *image) []hit {
	const field = "config:Healthcheck"
	h := im.config.Config.Healthcheck
	if h == nil || len(h.Test) == 0 {
		return nil
	}
	switch h.Test[0] {
	case "CMD-SHELL":
		return atConfig(field, "CMD-SHELL needs a shell")
	case "CMD":
		if len(h.Test) == 1 {
			return atConfig(field, "CMD without a program")
		}
		return im.command(field, h.Test[1:])
	case "NONE", "":
		return nil
	}
	return atConfig(field, fmt.Sprintf("%q is neither CMD, CMD-SHELL nor NONE", h.Test[0]))
}

// command judges a program and its arguments: found, of the user, no shell, and
// for Python what it is to run.
func (im *image) command(field string, argv []string) []hit {
	id, ts := im.whoami(), im.find(shells)
	for depth := 0; len(argv) > 0; depth++ {
		program := argv[0]
		if isShellName(program) {
			found := "needs a shell: " + program
			if len(argv) > 1 && strings.HasPrefix(argv[1], "-") && strings.HasSuffix(argv[1], "c") {
				found = "shell form, which needs a shell: " + program + " " + argv[1]
			}
			return atConfig(field, found)
		}
		if hits := im.program(field, id, ts, program, depth); len(hits) > 0 {
			return hits
		}
		if pythonName.MatchString(path.Base(program)) {
			return withFix(im.pythonArgs(field, id, argv[1:]), "add the script or module to the image, readable by its user, or correct the command")
		}
		argv = wrapped(argv)
	}
	return nil
}

// program judges one program. What a wrapper starts may be some other argument of
// the wrapper: nothing is said of its absence.
func (im *image) program(field string, id identity, ts tools, program string, depth int) []hit {
	if program == "" {
		return atConfig(field, "an empty program name")
	}
	e, runs := im.lookPath(id, program)
	switch {
	case e == nil && depth > 0:
		return nil
	case e == nil && im.isDir(program):
		return atConfig(field, program+" is a directory")
	case e == nil && strings.Contains(program, "/"):
		return atConfig(field, program+" is not in the image")
	case e == nil:
		return atConfig(field, program+" is in no directory of PATH")
	case !runs:
		return atConfig(field, fmt.Sprintf("%s may not be executed by %d:%d: %s", program, id.uid, id.gid, im.barrier(id, e.at)))
	case ts.found[e] != "" && !isApplet(program, e.at, &node{entry: e}):
		return atConfig(field, "needs a shell: "+program+" is "+ts.found[e])
	}
	return im.interpreter(field, id, ts, program, e.content())
}

// interpreter judges what the kernel starts for a file: itself, or what a script
// names.
func (im *image) interpreter(field string, id identity, ts tools, program string, f *File) []hit {
	if shell := im.shellOf(f.Shebang, ts, true); shell != "" {
		return atConfig(field, "needs a shell: "+program+" is a script of "+shell)
	}
	if o := im.obstacle(id, f, 0); o.found != "" {
		return []hit{{path: field, layer: -1, found: program + ": " + o.found, fix: o.fix}}
	}
	return nil
}

// barrier names the first place on the way to a file that stops the user.
func (im *image) barrier(id identity, at string) string {
	for i := 1; i < len(at); i++ {
		if at[i] == '/' && !im.may(id, at[:i], maySearch) {
			return fmt.Sprintf("directory %s has mode %04o, owner %d:%d", at[:i], im.stat(at[:i]).Mode, im.stat(at[:i]).UID, im.stat(at[:i]).GID)
		}
	}
	c := im.stat(at).content()
	return fmt.Sprintf("mode %04o, owner %d:%d", c.Mode, c.UID, c.GID)
}

func (im *image) isDir(p string) bool {
	_, n := im.follow(im.absolute(p))
	return strings.Contains(p, "/") && n != nil && (n.entry == nil || n.entry.Kind == Directory)
}

// wrappers start the program that their arguments name; the number is how many
// arguments of their own stand before it, options aside.
var wrappers = map[string]int{
	"env": 0, "tini": 0, "tini-static": 0, "dumb-init": 0, "catatonit": 0, "docker-init": 0, "exec": 0, "nohup": 0, "nice": 0, "setsid": 0,
	"stdbuf": 0, "setpriv": 0, "gosu": 1, "su-exec": 1, "chroot": 1, "timeout": 1, "s6-setuidgid": 1,
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// wrapped gives what a wrapper starts, nil when argv is no wrapper's.
func wrapped(argv []string) []string {
	skip, ok := wrappers[path.Base(argv[0])]
	if !ok {
		return nil
	}
	for i, arg := range argv[1:] {
		switch {
		case strings.HasPrefix(arg, "-"), path.Base(argv[0]) == "env" && assignment.MatchString(arg):
		case skip > 0:
			skip--
		default:
			return argv[1+i:]
		}
	}
	return nil
}
