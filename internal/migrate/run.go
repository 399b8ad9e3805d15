package migrate

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// clock matches a command that has the date in it.
var clock = regexp.MustCompile("(\\$\\(|`) *date\\b")

// run says what becomes of a RUN. In a stage of which only files are copied, installing
// what compiles is of no interest.
func (m *migration) run(im *image, c *instructions.RunCommand, at int, final bool) {
	for _, f := range c.FlagsUsed {
		if f == "security" || f == "network" || f == "device" {
			m.done(at, "RUN --"+f, "left out: nothing of the Dockerfile runs")
		}
	}
	if !c.PrependShell {
		m.simple(im, c.CmdLine, at, final)
		return
	}
	script := strings.Join(c.CmdLine, " ")
	if len(c.Files) > 0 {
		var ok bool
		if script, ok = m.heredoc(im, c, at, final); !ok {
			return
		}
	}
	if what := verify.SecretValue(script); what != "" {
		m.done(at, "RUN with a secret ("+what+"): an image's history keeps it", "left out; revoke it; what a build needs comes from ~/.netrc or a variable of the index, and reaches no layer")
	}
	if clock.MatchString(script) {
		m.clock(at)
	}
	here := *im // cd is of one RUN
	here.mounts = instructions.GetMounts(c)
	env := map[string]string{}
	for _, kv := range im.environment() {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	commands, _ := split(script)
	for _, command := range commands {
		command, _, _ = constants(command, env)
		w := words(command)
		for len(w) > 0 && (assignment.MatchString(w[0]) || slices.Contains(keywords, w[0])) {
			w = w[1:]
		}
		if len(w) == 2 && w[0] == "cd" {
			here.workdir = here.abs(w[1])
			continue
		}
		here.python = im.python
		if final {
			m.writes(command, w, at)
		}
		m.simple(&here, w, at, final)
		here.exports(command, w)
	}
	here.workdir, here.python, here.mounts = im.workdir, im.python, nil
	*im = here
}

// marks are what stands before the name of a heredoc, and it.
var marks = regexp.MustCompile(`\d*<<-?["']?\w+["']?`)

// heredoc returns the script of a RUN with files in it, or deals with what is no script.
func (m *migration) heredoc(im *image, c *instructions.RunCommand, at int, final bool) (string, bool) {
	var data string
	for _, f := range c.Files {
		data += "\n" + f.Data
	}
	command := strings.TrimSpace(marks.ReplaceAllString(strings.Join(c.CmdLine, " "), ""))
	w := words(command)
	interpreter, isMarked := strings.CutPrefix(strings.TrimSpace(data), "#!")
	if len(w) == 0 && isMarked {
		interpreter, _, _ = strings.Cut(interpreter, "\n")
		w = strings.Fields(interpreter)
	}
	switch {
	case len(w) == 0 || verify.ShellName(path.Base(w[0])):
		return data, true
	case strings.Contains(path.Base(w[len(w)-1]), "python"):
		m.python(im, []string{"-c", data}, at, final)
		return "", false
	}
	return command, true
}

// written finds where a command's output goes, outside of quoted texts.
var written = regexp.MustCompile(`(?:>|\btee (?:-a )?)\s*([^\s>&|]+)`)

// settings are files that a program reads.
var settings = regexp.MustCompile(`\.(py|pth|json|ya?ml|toml|ini|cfg|conf|env|properties)$`)

// writes says that a command writes a file that the service may read.
func (m *migration) writes(command string, w []string, at int) {
	if len(w) == 0 || !slices.Contains([]string{"echo", "printf", "cat", "tee"}, path.Base(w[0])) {
		return
	}
	masked := doubleQuoted.ReplaceAllString(singleQuoted.ReplaceAllString(command, ""), "")
	if to := written.FindStringSubmatch(masked); to != nil && settings.MatchString(to[1]) && !strings.HasPrefix(to[1], "/etc/") && !strings.HasPrefix(to[1], "/root/") {
		m.left(at, "RUN "+path.Base(w[0])+" to "+to[1], "nothing of the Dockerfile runs: put that into a file of the source")
	}
}

func (m *migration) clock(at int) {
	m.done(at, "date in a RUN: no two builds are equal", "left out: an image's labels say what it is made of")
}

var assignment = regexp.MustCompile(`^\w+=`)

// ignored are commands that leave nothing which a service needs.
var ignored = []string{
	"set", ".", "source", "true", ":", "export", "unset", "fi", "done", "[", "test", "ls", "cat", "pwd", "whoami", "which", "command", "sleep", "exit", "ldconfig", "locale-gen", "update-ca-certificates",
	"useradd", "groupadd", "adduser", "addgroup", "usermod", "groupmod", "passwd", "apt-key", "dpkg-reconfigure", "uname", "strip", "find", "env", "hash", "type",
}

// simple says what becomes of a simple command.
func (m *migration) simple(im *image, w []string, at int, final bool) {
	if len(w) == 0 {
		return
	}
	program, args := path.Base(w[0]), w[1:]
	if strings.HasPrefix(program, "python") || program == "pypy3" {
		m.python(im, args, at, final)
		return
	}
	if len(args) > 1 && verify.ShellName(program) && strings.HasSuffix(args[0], "c") && strings.HasPrefix(args[0], "-") {
		m.run(im, &instructions.RunCommand{ShellDependantCmdLine: instructions.ShellDependantCmdLine{CmdLine: args[1:2], PrependShell: true}}, at, final)
		return
	}
	if install, ok := installers[program]; ok {
		install(m, im, program, args, at, final)
		return
	}
	switch {
	case program == "date":
		m.clock(at)
	case slices.Contains(ignored, program):
		if final && (strings.HasPrefix(program, "user") || strings.HasPrefix(program, "add") || strings.HasPrefix(program, "group")) {
			m.done(at, "RUN "+program, "left out: the image's user is 65532")
		}
	case program == "mkdir" || program == "install" && slices.Contains(args, "-d"):
		for _, dir := range operands(withoutValues(args, "-m", "-o", "-g", "-Z")) {
			im.place(placed{at: im.abs(dir), dir: true, line: at})
			if final {
				im.written(im.abs(dir), at)
			}
		}
	case program == "chown" || program == "chmod" || program == "chgrp":
		m.owner(im, program, args, at, final)
	case program == "rm":
		m.remove(im, operands(args), at, final)
	case program == "virtualenv":
		im.venvs = append(im.venvs, absAll(im, operands(args))...)
	case program == "echo" || program == "printf" || program == "touch" || program == "tee":
		if final {
			m.done(at, "RUN "+program, "left out: an image's labels say what it is made of; a file that the service needs belongs into its source")
		}
	case program == "cp" || program == "mv":
		m.move(im, operands(args), at)
	case program == "gcc" || program == "make" || program == "cmake" || program == "cc" || program == "g++" || program == "tar" || program == "ln":
		m.left(at, "RUN "+program, "what it makes is not there: make it before, and put it into the source")
	case program == "curl" || program == "wget" || program == "git":
		m.left(at, "RUN "+program+", which downloads what has no hash", "put the file into the source, or the package into the list of requirements")
	default:
		m.left(at, "RUN "+program, "nothing of the Dockerfile runs: do it before, and put what it makes into the source")
	}
}

// operands are the arguments that are no options.
func operands(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool {
		return strings.HasPrefix(a, "-") || strings.HasPrefix(a, ">") || strings.HasPrefix(a, "2>") || a == ""
	})
}

// withoutValues are arguments without those options that a value follows.
func withoutValues(args []string, options ...string) []string {
	var rest []string
	for i := 0; i < len(args); i++ {
		if slices.Contains(options, args[i]) {
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return rest
}

func absAll(im *image, paths []string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, im.abs(p))
	}
	return all
}

// python is what Python is run for.
func (m *migration) python(im *image, args []string, at int, final bool) {
	switch {
	case len(args) > 1 && args[0] == "-m" && args[1] == "pip":
		installers["pip"](m, im, "pip", args[2:], at, final)
	case len(args) > 2 && args[0] == "-m" && (args[1] == "venv" || args[1] == "virtualenv"):
		im.venvs = append(im.venvs, absAll(im, operands(args[2:]))...)
	case len(args) > 1 && args[0] == "-m" && (args[1] == "compileall" || args[1] == "ensurepip"):
		if final {
			m.done(at, "RUN python -m "+args[1], "left out: the image has the bytecode of all source")
		}
	case len(args) > 1 && args[0] == "-c":
		if call := effect(args[1]); call != "" {
			m.left(at, "RUN python -c, which calls "+call, "nothing of the Dockerfile runs: do it before, and put what it makes into the source")
		} else if final {
			m.done(at, "RUN python -c, a check of what was copied", "left out: each build checks that what is imported is there")
		}
	default:
		m.left(at, "RUN python "+strings.Join(args[:min(2, len(args))], " "), "nothing of the Dockerfile runs: do it before, and put what it makes into the source")
	}
}

// calls finds what Python code calls; checks are those that change nothing.
var (
	calls  = regexp.MustCompile(`([A-Za-z_][\w.]*)\(`)
	checks = regexp.MustCompile(`(^|\.)(print|assert|__import__|import_module|find_spec|exists|isfile|isdir|is_file|is_dir|getsize|stat|listdir|iterdir|walk|glob|rglob|insert|append|extend|exit|len|str|int|repr|join|all|any|sorted|list|set|dict|tuple|version|getattr|hasattr|isinstance|open|read|read_text|dumps|loads|Path|format|SystemExit|\w*(Error|Exception)|split|strip|startswith|endswith|keys|items|get|getenv|dirname|abspath|range|enumerate|zip|type|vars|dir|write|flush|compile_dir|import|in|not|and|or|if|for|from)$`)
	opened = regexp.MustCompile(`open\([^)]*,\s*["'][rbt]*[wax+]`)
)

// effect is the first call of Python code that may change something, "" if it only checks.
func effect(code string) string {
	if opened.MatchString(code) {
		return "open to write"
	}
	for _, c := range calls.FindAllStringSubmatch(code, -1) {
		if !checks.MatchString(c[1]) {
			return c[1]
		}
	}
	return ""
}

// worldWritable are modes of chmod by which everybody may write.
var worldWritable = regexp.MustCompile(`^[0-7]?[0-7][0-7][2367]$|^([ug]*[ao][augo]*)?[+=][rxXst]*w`)

// owner is about who may write where.
func (m *migration) owner(im *image, program string, args []string, at int, final bool) {
	paths := operands(args)
	if len(paths) < 2 {
		return
	}
	open := program == "chmod" && worldWritable.MatchString(paths[0])
	if open {
		m.done(at, "chmod "+paths[0]+": everybody in the container may change it", "left out: source belongs to root, and writable names what the service writes to")
	}
	for _, p := range absAll(im, paths[1:]) {
		made := slices.ContainsFunc(im.files, func(f placed) bool { return f.at == p && f.from == "" })
		if final && (open || program == "chown") && made && !slices.Contains(im.writable, p) {
			im.written(p, at)
		}
		if final && program == "chown" && !made {
			m.done(at, "chown of "+p, "left out: source belongs to root; name in writable what the service writes to")
		}
	}
}

// remove takes what is deleted out of what was copied.
func (m *migration) remove(im *image, paths []string, at int, final bool) {
	for _, p := range absAll(im, paths) {
		for i, f := range im.files {
			switch {
			case f.from == "":
			case within(f.at, p):
				im.files[i] = placed{at: f.at, dir: true, line: at}
			case f.dir && within(p, f.at):
				im.files[i].exclude = append(slices.Clone(f.exclude), rel(p, f.at))
			}
		}
		im.files = slices.DeleteFunc(im.files, func(f placed) bool { return f.from == "" && within(f.at, p) })
		im.writable = slices.DeleteFunc(im.writable, func(dir string) bool { return within(dir, p) })
	}
	if final && len(paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool {
		return strings.HasPrefix(p, "/var/") || strings.HasPrefix(p, "/tmp") || strings.HasPrefix(p, "/root") || strings.Contains(p, "cache")
	}) {
		m.done(at, "RUN rm of "+strings.Join(paths, " "), "what is deleted is left out of the source")
	}
}

// move follows what is copied or renamed in a stage.
func (m *migration) move(im *image, paths []string, at int) {
	if len(paths) == 2 {
		to := im.abs(paths[1])
		if found := im.under(m.Context, im.abs(strings.TrimSuffix(paths[0], "/."))); len(found) > 0 {
			for _, f := range found {
				if !f.dir && f.at == "" && strings.HasSuffix(paths[1], "/") {
					f.at = path.Base(f.from)
				}
				f.at = path.Join(to, f.at)
				im.place(f)
			}
			return
		}
	}
	m.left(at, "RUN cp or mv", "name in source what goes where")
}
