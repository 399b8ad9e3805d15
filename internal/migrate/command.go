package migrate

import (
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
	entry, cmd := m.execForm(im, im.entrypoint, "ENTRYPOINT"), m.execForm(im, im.cmd, "CMD")
	if im.entrypoint.shell != "" {
		cmd = nil // a shell gets no arguments
	}
	if im.distroless && im.entrypoint.line == 0 && len(cmd) > 0 && interpreters.MatchString(cmd[0]) {
		entry = nil
	}
	at := max(im.entrypoint.line, im.cmd.line)
	entry = m.unwrapped(entry, im.entrypoint.line)
	if len(entry) > 0 && isScript(entry[0]) {
		m.left(im.entrypoint.line, "ENTRYPOINT of the script "+entry[0]+": the image has no shell to run it", "command is what it ends with; do the rest in Python, or before the container starts")
		entry = nil
	}
	w := m.unwrapped(slices.Concat(entry, cmd), at)
	if len(w) > 0 && isScript(w[0]) {
		m.left(at, "CMD of the script "+w[0]+": the image has no shell to run it", "write what it ends with into command")
		w = nil
	}
	if len(w) == 0 || len(w) == 1 && im.cmd.line+im.entrypoint.line == 0 {
		m.left(max(at, im.line), "nothing says what is run", "write command: [python, -m, MODULE]")
		return
	}
	switch {
	case interpreters.MatchString(w[0]):
		w[0] = "python"
	case programDirs.MatchString(w[0]):
		w[0] = path.Base(w[0])
	}
	for i, word := range w {
		switch {
		case i > 0 && path.IsAbs(word) && root != "/" && within(word, root):
			w[i] = moved(word, root)
		case i > 0 && root == "/" && path.IsAbs(word) && path.Ext(word) == ".py":
			w[i] = moved(word, root)
		case i > 0 && w[i-1] != "-m" && path.Ext(word) == ".py" && !path.IsAbs(word) && moved(im.workdir, root) != appDir && within(im.workdir, root):
			w[i] = path.Join(moved(im.workdir, root), word)
		}
	}
	if supervisors[w[0]] {
		m.left(at, w[0]+", which starts several programs", "write a service for each of them: a container that one of them fails in is started anew, and logged by itself")
		return
	}
	s.command = w
}

// supervisors are programs that start what is in a file of theirs.
var supervisors = map[string]bool{"supervisord": true, "circusd": true, "honcho": true, "forego": true, "s6-svscan": true, "runsvdir": true, "foreman": true, "pm2": true, "pm2-runtime": true}

func isScript(program string) bool {
	return path.Ext(program) == ".sh" || strings.HasSuffix(program, "entrypoint")
}

// execForm returns the words of a command. What needs a shell is taken apart.
func (m *migration) execForm(im *image, c command, what string) []string {
	w := slices.Clone(c.words)
	if len(w) >= 3 && verify.ShellName(w[0]) && strings.HasPrefix(w[1], "-") && strings.HasSuffix(w[1], "c") {
		c.shell, w = w[2], nil
	}
	if c.shell == "" {
		if len(w) >= 2 && verify.ShellName(w[0]) {
			w = w[1:] // a script
		}
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
	n := len(commands) - 1
	for n > 0 && piped[n] {
		n--
	}
	last := commands[n]
	if len(commands) > 1 {
		m.left(at, what+" in shell form that runs several commands", "command is the last of them, without what its output goes to; do the rest in Python, or before the container starts")
	}
	last, replaced, unknown := constants(last, im.env)
	masked := singleQuoted.ReplaceAllString(last, "")
	bare := doubleQuoted.ReplaceAllString(masked, "")
	w := words(last)
	switch {
	case len(commands) > 1:
	case len(unknown) > 0:
		m.left(at, what+" in shell form with the variable "+strings.Join(unknown, ", "), "nothing replaces it: write its value, or read it in the program")
	case needsShell.MatchString(bare) || len(w) == 0:
		m.left(at, what+" in shell form that only a shell understands", "write what it does as words, without a shell")
	case len(replaced) > 0:
		m.done(at, what+" in shell form with the variable "+strings.Join(replaced, ", "), "turned into words with its value: a variable that is set at run time is read by the program alone")
	default:
		m.done(at, what+" in shell form: the image has no shell", "turned into words")
	}
	if len(w) > 0 && w[0] == "exec" {
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
