package migrate

import (
	"encoding/json"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// interpreters match Python by any path; programDirs what else is by its path.
var (
	interpreters = regexp.MustCompile(`^(/.*/)?python(3(\.\d+)?)?$`)
	programDirs  = regexp.MustCompile(`^/(usr/|usr/local/|opt/.*/|app/.*/|root/\.local/|home/[^/]+/\.local/|\.?venv/)?s?bin/|/\.?venv/bin/`)
)

// command is what the container runs.
func (m *migration) command(im *image, s *service, root string) {
	if e := im.entrypoint.words; len(e) == 2 && verify.ShellName(e[0]) && strings.HasPrefix(e[1], "-") && strings.HasSuffix(e[1], "c") && len(im.cmd.words) == 1 {
		im.entrypoint, im.cmd.shell, im.cmd.words = command{line: im.entrypoint.line}, im.cmd.words[0], nil
	}
	entry, cmd := m.execForm(im, im.entrypoint, "ENTRYPOINT"), m.execForm(im, im.cmd, "CMD")
	if im.entrypoint.shell != "" {
		cmd = nil // a shell gets no arguments
	}
	if im.entrypoint.line == 0 && len(cmd) > 0 && interpreters.MatchString(cmd[0]) {
		entry = nil
	}
	at := max(im.entrypoint.line, im.cmd.line)
	entry = m.unwrapped(entry, im.entrypoint.line)
	if script := m.script(im, entry); script != "" {
		m.left(im.entrypoint.line, "ENTRYPOINT of the script "+script+": the image has no shell to run it", "command is what it ends with; do the rest in Python, or before the container starts")
		if entry = nil; len(cmd) == 0 {
			return
		}
	}
	w := m.unwrapped(slices.Concat(entry, cmd), at)
	if script := m.script(im, w); script != "" {
		m.left(at, "CMD of the script "+script+": the image has no shell to run it", "write what it ends with into command")
		return
	}
	if len(w) == 0 || len(w) == 1 && im.cmd.line+im.entrypoint.line == 0 {
		m.left(max(at, im.line), "nothing says what is run", "write command: [python, -m, MODULE]")
		return
	}
	w = m.program(im, w, at)
	for i, word := range w {
		switch {
		case i > 0 && im.relocated(word, root) != word:
			w[i] = im.relocated(word, root)
		case i > 0 && w[i-1] != "-m" && path.Ext(word) == ".py" && !path.IsAbs(word) && moved(im.workdir, root) != appDir && within(im.workdir, root):
			w[i] = path.Join(moved(im.workdir, root), word)
		}
	}
	if supervisors[w[0]] {
		m.left(at, w[0]+", which starts several programs", "write a service for each of them: a container that one of them fails in is started anew, and logged by itself")
		return
	}
	for i, word := range w {
		if what := verify.SecretValue(word); what != "" {
			m.left(at, "a secret in the command ("+what+"): everybody who can pull the image can read it", "revoke it, and have the program read it from a variable that is set where the container runs")
			w[i] = withoutPassword(word)
		}
	}
	s.command = w
}

// supervisors are programs that start what is in a file of theirs.
var supervisors = map[string]bool{"supervisord": true, "circusd": true, "honcho": true, "forego": true, "s6-svscan": true, "runsvdir": true, "foreman": true, "pm2": true, "pm2-runtime": true}

// program makes what is run a program of the image.
func (m *migration) program(im *image, w []string, at int) []string {
	from, where := im.located(m.Context, w[0])
	ofSystem := false
	switch {
	case interpreters.MatchString(w[0]):
		w[0] = "python"
	case m.interpreter(from) == "python" || path.Ext(w[0]) == ".py" && where != "":
		w = append([]string{"python", where}, w[1:]...)
	case programDirs.MatchString(w[0]) || slices.ContainsFunc(im.venvs, func(v string) bool { return within(where, v) }):
		w[0] = path.Base(w[0])
		if interpreters.MatchString(w[0]) {
			w[0] = "python"
		}
	case !strings.Contains(w[0], "/"):
	default:
		ofSystem = true
	}
	if ofSystem || tools[w[0]] {
		m.left(at, "what is run, "+w[0]+", is no program of the image", "write what it does as command: [python, -m, MODULE], or the command of a package")
	}
	return w
}

// relocated is a path, or an option with one, where the service has it.
func (im *image) relocated(word, root string) string {
	if option, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
		return option + "=" + im.relocated(value, root)
	}
	copied := func(f placed) bool { return f.from != "" && f.at != "/" && within(word, f.at) }
	if !path.IsAbs(word) || root == "/" && path.Ext(word) != ".py" && !slices.ContainsFunc(im.files, copied) {
		return word
	}
	return moved(word, root)
}

// tools are programs of a system that images of Python have and the base images lack.
var tools = map[string]bool{
	"tail": true, "sleep": true, "cat": true, "echo": true, "true": true, "cron": true, "crond": true, "nohup": true, "timeout": true, "nice": true, "ionice": true, "stdbuf": true, "su": true,
	"sudo": true, "watch": true, "top": true, "make": true, "pip": true, "pip3": true, "xvfb-run": true, "wait-for-it": true, "wait-for": true, "dockerize": true, "ls": true, "find": true, "xargs": true,
}

// script is what of a command needs a shell, "" for nothing.
func (m *migration) script(im *image, w []string) string {
	switch {
	case len(w) == 0:
		return ""
	case verify.ShellName(w[0]):
		return append(operands(w[1:]), w[0])[0]
	case path.Ext(w[0]) == ".sh" || strings.HasSuffix(w[0], "entrypoint"):
		return w[0]
	}
	if from, _ := im.located(m.Context, w[0]); m.interpreter(from) == "shell" {
		return w[0]
	}
	return ""
}

// located is the file of the context that a program is, and where: by its path or in the
// directories of PATH; "" for none.
func (im *image) located(context fs.FS, program string) (from, at string) {
	if strings.Contains(program, "/") {
		return im.from(context, im.abs(program)), im.abs(program)
	}
	for dir := range strings.SplitSeq(im.env["PATH"]+":/usr/local/bin:/usr/bin:/bin", ":") {
		if at = path.Join(dir, program); path.IsAbs(dir) && im.from(context, at) != "" {
			return im.from(context, at), at
		}
	}
	return "", ""
}

// from is the file of the context that is at a path of the image, "" for none.
func (im *image) from(context fs.FS, name string) string {
	if found := im.under(context, name); len(found) > 0 && !found[len(found)-1].dir {
		return found[len(found)-1].from
	}
	return ""
}

// interpreter says what the first line of a file of the context names: "python",
// "shell", or "" for another or none.
func (m *migration) interpreter(name string) string {
	f, err := m.Context.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 80)
	n, _ := io.ReadFull(f, head) // a shorter one is as good
	first, _, _ := strings.Cut(string(head[:n]), "\n")
	w := strings.Fields(first)
	switch {
	case len(w) == 0 || !strings.HasPrefix(first, "#!"):
		return ""
	case strings.Contains(first, "python"):
		return "python"
	case verify.ShellName(path.Base(strings.TrimPrefix(w[0], "#!"))) || verify.ShellName(w[len(w)-1]):
		return "shell"
	}
	return ""
}

// execForm returns the words of a command. What needs a shell is taken apart.
func (m *migration) execForm(im *image, c command, what string) []string {
	w := slices.Clone(c.words)
	if len(w) >= 3 && verify.ShellName(w[0]) && strings.HasPrefix(w[1], "-") && strings.HasSuffix(w[1], "c") {
		c.shell, w = w[2], nil
	}
	if c.shell == "" {
		for _, word := range w {
			if variable.MatchString(word) {
				m.left(c.line, what+" with a variable: "+word, "nothing replaces it: write its value, or read it in the program")
			}
		}
		return w
	}
	return m.plain(im, c.shell, c.line, what)
}

// plain turns the shell form into words, if these are what the shell would run.
func (m *migration) plain(im *image, text string, at int, what string) []string {
	commands, piped := split(text)
	if len(commands) == 0 {
		return nil
	}
	var quoted []string
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(strings.ReplaceAll(text, "'", `"`)), &quoted) == nil {
		m.left(at, what+" with single quotes, which is no JSON: a shell gets it, and fails", "taken for the words that it names: look at them")
		return quoted
	}
	n := len(commands) - 1
	for n > 0 && (piped[n] || slices.Contains(keywords, commands[n])) {
		n--
	}
	last := commands[n]
	if len(commands) > 1 {
		m.left(at, what+" in shell form that runs several commands", "command is the last of them, without what its output goes to; do the rest in Python, or before the container starts")
	}
	last, replaced, unknown := constants(last, im.env)
	masked := singleQuoted.ReplaceAllString(last, "")
	unquoted := doubleQuoted.ReplaceAllString(masked, "")
	w := words(last)
	switch {
	case len(commands) > 1:
	case len(unknown) > 0:
		m.left(at, what+" in shell form with the variable "+strings.Join(slices.Compact(unknown), ", "), "nothing replaces it: write its value, or read it in the program")
	case needsShell.MatchString(unquoted) || len(w) == 0:
		m.left(at, what+" in shell form that only a shell understands", "write what it does as words, without a shell")
	case len(replaced) > 0:
		m.done(at, what+" in shell form with the variable "+strings.Join(replaced, ", "), "turned into words with its value: a variable that is set at run time is read by the program alone")
	default:
		m.done(at, what+" in shell form: the image has no shell", "turned into words")
	}
	return slices.Clip(bare(w))
}

// keywords are a shell's own; those of a condition or a loop stand before a command.
var keywords = []string{"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "case", "esac", "sudo", "exec", "time", "!", "{", "}"}

// bare is a command without what of a shell stands before it.
func bare(w []string) []string {
	for len(w) > 0 && slices.Contains(keywords, w[0]) {
		w = w[1:]
	}
	return w
}

// unwrapped takes away what only starts another program.
func (m *migration) unwrapped(w []string, at int) []string {
	for len(w) > 1 {
		switch name := path.Base(w[0]); name {
		case "tini", "dumb-init", "catatonit", "env":
			n := 1
			for n < len(w) && (strings.HasPrefix(w[n], "-") || name == "env" && assignment.MatchString(w[n])) {
				n++
			}
			m.done(at, name+" before the program", "left out: the image has none; run the container with --init where the program leaves zombies")
			w = w[n:]
		case "poetry", "uv", "pipenv", "pdm":
			if w[1] != "run" {
				return w
			}
			m.done(at, name+" run before the program", "left out: the lock's packages are there without it")
			w = w[2:]
		case "conda", "mamba", "micromamba":
			n := 1
			for n < len(w) && !interpreters.MatchString(w[n]) && path.Ext(w[n]) == "" && n < 5 {
				n++
			}
			m.left(at, name+" before the program", "command is what it ran, without it: look at that")
			return w[min(n, len(w)-1):]
		case "gosu", "su-exec":
			m.done(at, name+" before the program", "left out: the image's user is 65532 from the start")
			w = w[2:]
		default:
			return w
		}
	}
	return w
}
