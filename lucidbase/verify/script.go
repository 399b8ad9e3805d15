package verify

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxShebang is how much of a script's first line the kernel reads behind "#!":
// 256 bytes with these two and the line's end (Linux 5.1, fs/binfmt_script.c).
const maxShebang = 253

// shebang is a script's first line. One that is longer than the kernel reads is cut
// behind that.
func shebang(head []byte) string {
	line := head[2:min(len(head), 2+maxShebang+1)]
	line, _, whole := bytes.Cut(line, []byte("\n"))
	if !whole && len(line) > maxShebang {
		return valid(string(line))
	}
	line, _, _ = bytes.Cut(line, []byte("\x00"))
	return strings.Trim(valid(string(line)), " \t")
}

// trampolineLine is the second line of a script that is shell and Python at once:
// pip and uv write it where the interpreter's path does not fit a first line.
var trampolineLine = regexp.MustCompile(`^[^\n]*\n'''exec' (?:"([^"$\n]*)"|'([^'\n]*)'|([^\s"'$]+)|[^\n]*)`)

// trampoline is the interpreter that such a script starts, "?" where only a shell
// can tell; "" for other scripts.
func trampoline(head []byte) string {
	m := trampolineLine.FindSubmatch(head[:min(len(head), 4096)])
	if m == nil {
		return ""
	}
	if p := valid(string(bytes.Join(m[1:], nil))); path.IsAbs(p) {
		return p
	}
	return "?"
}

// obstacle is why something does not work, and what to do about it where the rule's
// own fix is no good; the zero value is none.
type obstacle struct{ found, fix string }

const (
	fixPath  = "install it again at the path that the environment has in the image: a short one, without spaces"
	fixCopy  = "copy the file again; with git, after git lfs pull"
	fixEnds  = "give it the line ends of Unix (git: text eol=lf)"
	fixShell = "leave it out, or write it in Python: an image without a shell cannot run it"
	fixEnv   = "name the interpreter itself in its first line, such as #!/opt/venv/bin/python"
	fixFirst = "begin it with #! and the absolute path of its interpreter; an installer does that for a wheel's scripts"
)

// maxScripts is how many scripts may be each other's interpreters (execve(2)).
const maxScripts = 4

// obstacle says what stops the kernel from starting a file, as a user. A damaged ELF
// file and one of another machine have rules of their own.
func (im *image) obstacle(id identity, f *File, depth int) obstacle {
	words := strings.Fields(f.Shebang)
	switch {
	case f.ELF != nil:
		if what := elfKinds[f.ELF.Type]; what != "" {
			return obstacle{"it is " + what + ", which nothing can start", fixCopy}
		}
		return obstacle{}
	case f.Size == 0:
		return obstacle{"it is empty: exec format error", fixCopy}
	case f.Content != "":
		return obstacle{"it is " + f.Content + ": exec format error", fixCopy}
	case len(words) == 0:
		return obstacle{"it is neither an ELF file nor a script that names its interpreter: exec format error", fixFirst}
	case strings.HasSuffix(f.Shebang, "\r"):
		return obstacle{"its first line is #!" + f.Shebang + ": its lines end as on Windows", fixEnds}
	case len(f.Shebang) > maxShebang:
		return obstacle{fmt.Sprintf("its first line is longer than the %d bytes that the kernel reads", maxShebang+2), fixPath}
	case !path.IsAbs(words[0]):
		return obstacle{"it starts with " + words[0] + ", which is no absolute path", fixFirst}
	}
	if o := im.started(id, words[0], depth); o != (obstacle{}) {
		return o.explained(f, words[0])
	}
	if path.Base(words[0]) == "env" {
		return im.byEnv(id, f.Shebang)
	}
	if p := f.Trampoline; path.IsAbs(p) {
		if e, _ := im.lookPath(id, p); e == nil {
			return obstacle{"its second line starts " + p + ", which is not in the image", fixPath}
		}
	}
	return obstacle{}
}

// explained adds why an installer wrote a shell's script, and the fix that fits.
func (o obstacle) explained(f *File, interpreter string) obstacle {
	switch {
	case f.Trampoline != "":
		return obstacle{o.found + " (an installer writes this first line where Python's path is long or has spaces)", fixPath}
	case isShellName(interpreter), path.Base(interpreter) == "env" && isShellName(envProgram(strings.Fields(f.Shebang)[1:])):
		o.fix = fixShell
	case path.Base(interpreter) == "env":
		o.fix = fixEnv
	}
	return o
}

// started judges the interpreter that a first line names.
func (im *image) started(id identity, interpreter string, depth int) obstacle {
	e, runs := im.lookPath(id, interpreter)
	found := "it starts with " + interpreter
	switch {
	case e == nil && im.isDir(interpreter):
		return obstacle{found + ", which is a directory", fixFirst}
	case e == nil && im.stat(im.place(interpreter)) == nil && im.isLink(interpreter):
		return obstacle{found + ", a link that leads nowhere", fixPath}
	case e == nil:
		return obstacle{found + ", which is not in the image", fixPath}
	case !runs:
		return obstacle{found + ", which may not be executed", "make that executable: chmod 755"}
	case depth >= maxScripts:
		return obstacle{"scripts start each other in a circle, or more than the kernel follows", fixFirst}
	}
	if inner := im.obstacle(id, e.content(), depth+1); inner != (obstacle{}) {
		return obstacle{found + ", which cannot be started: " + inner.found, inner.fix}
	}
	return obstacle{}
}

func (im *image) isLink(p string) bool {
	n := im.walk(im.place(p))
	return n != nil && n.entry != nil && n.entry.Kind == Symlink
}

// byEnv judges what env is to start: the kernel hands it the rest of the line as one
// argument, which -S splits.
func (im *image) byEnv(id identity, shebang string) obstacle {
	interpreter := strings.Fields(shebang)[0]
	argument := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(shebang), interpreter))
	words := strings.Fields(argument)
	switch {
	case argument == "":
		return obstacle{"it starts with " + interpreter + ", which is not told what to start", fixEnv}
	case !strings.HasPrefix(argument, "-") && len(words) > 1:
		return obstacle{fmt.Sprintf("it starts with %s, for which %q is the name of one program without -S", interpreter, argument), fixEnv}
	}
	program := envProgram(words)
	if program == "" || strings.ContainsAny(program, "$'\"\\") {
		return obstacle{}
	}
	if e, runs := im.lookPath(id, program); e == nil || !runs {
		return obstacle{"it starts with " + interpreter + " " + program + ", and no directory of PATH has " + program, fixEnv}
	}
	return obstacle{}
}

// envProgram is the program in env's arguments (env(1)); "" when none is plain.
func envProgram(args []string) string {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case slices.Contains([]string{"-u", "-C", "--unset", "--chdir", "-a", "--argv0"}, arg):
			i++
		case strings.HasPrefix(arg, "--split-string="):
			return envProgram(append([]string{strings.TrimPrefix(arg, "--split-string=")}, args[i+1:]...))
		case strings.HasPrefix(arg, "-S") && len(arg) > 2:
			return envProgram(append([]string{arg[2:]}, args[i+1:]...))
		case strings.HasPrefix(arg, "-"), assignment.MatchString(arg):
		default:
			return arg
		}
	}
	return ""
}
