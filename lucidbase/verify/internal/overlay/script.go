package overlay

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/programs"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// elfKinds are the types of ELF files that nothing can start or load.
var elfKinds = map[string]string{
	"rel": "an object file of a compiler", "core": "a core dump", "debug": "debugging information without the program",
}

// Obstacle is why something does not work, and what to do about it where the rule's
// own fix is no good; the zero value is none.
type Obstacle struct{ Found, Fix string }

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

// Obstacle says what stops the kernel from starting a file, as a user. A damaged ELF
// file and one of another machine have rules of their own.
func (im *Image) Obstacle(id Identity, f *scan.File, depth int) Obstacle {
	words := strings.Fields(f.Shebang)
	switch {
	case f.ELF != nil:
		if what := elfKinds[f.ELF.Type]; what != "" {
			return Obstacle{"it is " + what + ", which nothing can start", fixCopy}
		}
		return Obstacle{}
	case f.Size == 0:
		return Obstacle{"it is empty: exec format error", fixCopy}
	case f.Content != "":
		return Obstacle{"it is " + f.Content + ": exec format error", fixCopy}
	case len(words) == 0:
		return Obstacle{"it is neither an ELF file nor a script that names its interpreter: exec format error", fixFirst}
	case strings.HasSuffix(f.Shebang, "\r"):
		return Obstacle{"its first line is #!" + f.Shebang + ": its lines end as on Windows", fixEnds}
	case len(f.Shebang) > programs.MaxShebang:
		return Obstacle{fmt.Sprintf("its first line is longer than the %d bytes that the kernel reads", programs.MaxShebang+2), fixPath}
	case !path.IsAbs(words[0]):
		return Obstacle{"it starts with " + words[0] + ", which is no absolute path", fixFirst}
	}
	if o := im.started(id, words[0], depth); o != (Obstacle{}) {
		return o.explained(f, words[0])
	}
	if path.Base(words[0]) == "env" {
		return im.byEnv(id, f.Shebang)
	}
	if p := f.Trampoline; path.IsAbs(p) {
		if e, _ := im.LookPath(id, p); e == nil {
			return Obstacle{"its second line starts " + p + ", which is not in the image", fixPath}
		}
	}
	return Obstacle{}
}

// explained adds why an installer wrote a shell's script, and the fix that fits.
func (o Obstacle) explained(f *scan.File, interpreter string) Obstacle {
	switch {
	case f.Trampoline != "":
		return Obstacle{o.Found + " (an installer writes this first line where Python's path is long or has spaces)", fixPath}
	case IsShellName(interpreter), path.Base(interpreter) == "env" && IsShellName(envProgram(strings.Fields(f.Shebang)[1:])):
		o.Fix = fixShell
	case path.Base(interpreter) == "env":
		o.Fix = fixEnv
	}
	return o
}

// started judges the interpreter that a first line names.
func (im *Image) started(id Identity, interpreter string, depth int) Obstacle {
	e, runs := im.LookPath(id, interpreter)
	found := "it starts with " + interpreter
	switch {
	case e == nil && im.IsDir(interpreter):
		return Obstacle{found + ", which is a directory", fixFirst}
	case e == nil && im.Stat(im.Place(interpreter)) == nil && im.isLink(interpreter):
		return Obstacle{found + ", a link that leads nowhere", fixPath}
	case e == nil:
		return Obstacle{found + ", which is not in the image", fixPath}
	case !runs:
		return Obstacle{found + ", which may not be executed", "make that executable: chmod 755"}
	case depth >= maxScripts:
		return Obstacle{"scripts start each other in a circle, or more than the kernel follows", fixFirst}
	}
	if inner := im.Obstacle(id, e.Content(), depth+1); inner != (Obstacle{}) {
		return Obstacle{found + ", which cannot be started: " + inner.Found, inner.Fix}
	}
	return Obstacle{}
}

func (im *Image) isLink(p string) bool {
	n := im.Walk(im.Place(p))
	return n != nil && n.Entry != nil && n.Entry.Kind == scan.Symlink
}

// byEnv judges what env is to start: the kernel hands it the rest of the line as one
// argument, which -S splits.
func (im *Image) byEnv(id Identity, shebang string) Obstacle {
	interpreter := strings.Fields(shebang)[0]
	argument := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(shebang), interpreter))
	words := strings.Fields(argument)
	switch {
	case argument == "":
		return Obstacle{"it starts with " + interpreter + ", which is not told what to start", fixEnv}
	case !strings.HasPrefix(argument, "-") && len(words) > 1:
		return Obstacle{fmt.Sprintf("it starts with %s, for which %q is the name of one program without -S", interpreter, argument), fixEnv}
	}
	program := envProgram(words)
	if program == "" || strings.ContainsAny(program, "$'\"\\") {
		return Obstacle{}
	}
	if e, runs := im.LookPath(id, program); e == nil || !runs {
		return Obstacle{"it starts with " + interpreter + " " + program + ", and no directory of PATH has " + program, fixEnv}
	}
	return Obstacle{}
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
