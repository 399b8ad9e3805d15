package rules

import (
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var commandRule = Rule{
	Name:    "command",
	Summary: "an entrypoint or a command that is there, that the user may execute, and that needs no shell",
	Why:     "the container does not start",
	Fix:     `add what has the program to the image (of a console script, the distribution), or correct the command, in exec form: CMD ["python", "-m", "app"]`,
	Check:   checkCommand,
}

func checkCommand(im *overlay.Image) []overlay.Hit {
	c := im.Config.Config
	field, argv := "config:Cmd", append(append([]string{}, c.Entrypoint...), c.Cmd...)
	if len(c.Entrypoint) > 0 {
		field = "config:Entrypoint"
	}
	if len(argv) == 0 {
		return overlay.AtConfig(field, "neither an entrypoint nor a command")
	}
	return command(im, field, argv)
}

// command judges a program and what it wraps: found, of the user, no shell.
func command(im *overlay.Image, field string, argv []string) []overlay.Hit {
	id, ts := im.User(), im.Tools(overlay.Shells)
	for sure := true; len(argv) > 0; {
		program := argv[0]
		if overlay.IsShellName(program) {
			found := "needs a shell: " + program
			if len(argv) > 1 && strings.HasPrefix(argv[1], "-") && strings.HasSuffix(argv[1], "c") {
				found = "shell form, which needs a shell: " + program + " " + argv[1]
			}
			return overlay.AtConfig(field, found)
		}
		if hits := checkProgram(im, field, id, ts, program, sure); len(hits) > 0 {
			return hits
		}
		was := sure
		argv, sure = overlay.Wrapped(argv)
		sure = sure && was
	}
	return nil
}

// checkProgram judges one program. Where it is not sure that a wrapper starts it, nothing
// is said of its absence.
func checkProgram(im *overlay.Image, field string, id overlay.Identity, ts overlay.Tools, program string, sure bool) []overlay.Hit {
	if program == "" {
		return overlay.AtConfig(field, "an empty program name")
	}
	e, runs := im.LookPath(id, program)
	switch {
	case e == nil && !sure:
		return nil
	case e == nil && im.IsDir(program):
		return overlay.AtConfig(field, program+" is a directory")
	case e == nil && strings.Contains(program, "/"):
		return overlay.AtConfig(field, program+" is not in the image")
	case e == nil:
		return overlay.AtConfig(field, program+" is in no directory of PATH")
	case !runs:
		return overlay.AtConfig(field, fmt.Sprintf("%s may not be executed by %d:%d: %s", program, id.Uid, id.Gid, im.Barrier(id, e.At)))
	case ts.Found[e] != "" && !overlay.IsApplet(program, e.At, &overlay.Node{Entry: e}):
		return overlay.AtConfig(field, "needs a shell: "+program+" is "+ts.Found[e])
	}
	return interpreter(im, field, id, ts, program, e.Content())
}

// interpreter judges what the kernel starts for a file: itself, or what a script
// names.
func interpreter(im *overlay.Image, field string, id overlay.Identity, ts overlay.Tools, program string, f *scan.File) []overlay.Hit {
	if shell := im.ShellOf(f.Shebang, ts, true); shell != "" {
		return overlay.AtConfig(field, "needs a shell: "+program+" is a script of "+shell)
	}
	if o := im.Obstacle(id, f, 0); o.Found != "" {
		return []overlay.Hit{{Path: field, Layer: -1, Found: program + ": " + o.Found, Fix: o.Fix}}
	}
	return nil
}
