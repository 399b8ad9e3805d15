package rules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
)

var pythonName = regexp.MustCompile(`^(python|pypy)[0-9.]*$`)

// pythonProgram is what an interpreter of the image is told to run.
type pythonProgram struct {
	im *overlay.Image
	// field is where the config says so.
	field string
	// interpreter is the path that it is started by.
	interpreter string
	// safe is set where the program's own directory is not on sys.path (-P), isolated
	// where PYTHONPATH is not either (-I).
	safe, isolated bool
	// One of these is set: a file, a module, or code.
	script, module, code string
	// args are those of the program.
	args []string
}

// startedProgram finds what an image's entrypoint and command have Python run, behind
// wrappers; nil where they start something else.
func startedProgram(im *overlay.Image) *pythonProgram {
	c := im.Config.Config
	field, argv := "config:Cmd", slices.Concat(c.Entrypoint, c.Cmd)
	if len(c.Entrypoint) > 0 {
		field = "config:Entrypoint"
	}
	return programOf(im, field, argv)
}

func programOf(im *overlay.Image, field string, argv []string) *pythonProgram {
	for len(argv) > 0 {
		if p := started(im, field, argv); p != nil {
			return p
		}
		argv, _ = overlay.Wrapped(argv)
	}
	return nil
}

// started returns what one program is when it is an interpreter or a script of one.
func started(im *overlay.Image, field string, argv []string) *pythonProgram {
	at := which(im, argv[0])
	if at == "" {
		return nil
	}
	if pythonName.MatchString(path.Base(argv[0])) {
		p := &pythonProgram{im: im, field: field, interpreter: at}
		return p.parse(argv[1:])
	}
	e := im.Regular(at)
	if e == nil {
		return nil
	}
	words := strings.Fields(e.Content().Shebang)
	if t := e.Content().Trampoline; t != "" {
		words = []string{t}
	}
	if len(words) > 0 && path.Base(words[0]) == "env" {
		if words = slices.DeleteFunc(words[1:], func(w string) bool { return w == "-S" }); len(words) == 0 {
			return nil
		}
		words[0] = which(im, words[0])
	}
	if len(words) == 0 || !pythonName.MatchString(path.Base(words[0])) {
		return nil
	}
	p := &pythonProgram{im: im, field: field, interpreter: words[0]}
	return p.parse(append(words[1:], append([]string{at}, argv[1:]...)...))
}

// which returns the path of a program that is there, "" for none.
func which(im *overlay.Image, name string) string {
	id := im.User()
	e, _ := im.LookPath(id, name)
	if e == nil {
		return ""
	}
	if strings.Contains(name, "/") {
		return im.Absolute(name)
	}
	for _, dir := range im.SearchPath() {
		if p := path.Join(dir, name); im.Stat(p) == e {
			return p
		}
	}
	return ""
}

// parse reads the interpreter's own options: -X and -W take a value, behind -c is
// code, behind -m a module.
func (p *pythonProgram) parse(args []string) *pythonProgram {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--check-hash-based-pycs":
			i++
		case strings.HasPrefix(arg, "--"):
		case len(arg) > 1 && arg[0] == '-':
			at := strings.IndexAny(arg, "mcXW")
			flags := arg
			if at >= 0 {
				flags = arg[:at]
			}
			p.isolated = p.isolated || strings.ContainsAny(flags, "IE")
			p.safe = p.safe || strings.ContainsAny(flags, "IP")
			if at < 0 {
				continue
			}
			value := arg[at+1:]
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			switch arg[at] {
			case 'm':
				p.module, p.args = value, args[i+1:]
				return p
			case 'c':
				p.code, p.args = value, args[i+1:]
				return p
			}
		case arg == "-" || arg == "":
			return nil
		default:
			p.script, p.args = arg, args[i+1:]
			return p
		}
	}
	return nil
}

// importer is the one of the program; more are directories that it adds by itself.
func (p *pythonProgram) importer(more ...string) *overlay.Importer {
	first := more
	if safe, ok := p.im.Env("PYTHONSAFEPATH"); !p.safe && (!ok || safe == "") {
		switch {
		case p.script == "":
			first = append(first, ".")
		case p.im.IsDir(p.im.Absolute(p.script)):
			first = append(first, p.script)
		default: // links are followed
			first = append(first, path.Dir(p.im.Followed(p.script)))
		}
	}
	return p.im.NewImporter(p.interpreter, first, p.isolated)
}

// isConsoleScript reports whether the program is a script of an installer: nobody's own
// source, but two lines that import a function.
func (p *pythonProgram) isConsoleScript() bool {
	return p.script != "" && path.Ext(p.script) == "" && path.Base(path.Dir(p.im.Absolute(p.script))) == "bin"
}

// target is what a server is told to import.
type target struct {
	module, attribute string
	// called is set where the attribute is a function that makes the application.
	called bool
	// dir is the directory that the server puts first on sys.path.
	dir string
	// loose is set where the last part of the module can be an attribute, as Celery
	// has it.
	loose bool
}

// server is a program that imports an application by its name.
type server struct {
	// flags are its options without a value; every other takes one.
	flags []string
	// dirs are its options that name the directory which is imported from.
	dirs []string
	// app are its options that name the application; none where that is the first
	// argument.
	app []string
	// attribute is the default.
	attribute string
	// needsAttribute is set where a name without one is no application.
	needsAttribute bool
	// env are variables with options, or with the application.
	env []string
	// config is the source of settings that it reads where there is one.
	config string
}

var servers = map[string]server{
	"uvicorn": {
		flags: strings.Fields("--reload --factory --proxy-headers --no-proxy-headers --server-header --no-server-header --date-header --no-date-header --access-log --no-access-log --use-colors --no-use-colors --reset-contextvars"),
		dirs:  []string{"--app-dir"}, needsAttribute: true, env: []string{"UVICORN_APP_DIR", "UVICORN_APP"},
	},
	"hypercorn": {flags: strings.Fields("--debug --reload"), attribute: "app"},
	"gunicorn": {
		flags: strings.Fields("--reload --check-config --print-config --spew --preload --daemon -D --enable-stdio-inheritance --capture-output -R --no-sendfile --reuse-port --initgroups --proxy-protocol --strip-header-spaces --log-syslog --disable-redirect-access-to-syslog"),
		dirs:  []string{"--chdir", "--pythonpath"}, attribute: "application", env: []string{"GUNICORN_CMD_ARGS"}, config: "gunicorn.conf.py",
	},
	"daphne": {flags: strings.Fields("--access-log-enabled --proxy-headers --no-server-name"), needsAttribute: true},
	"celery": {dirs: []string{"--workdir"}, app: []string{"-A", "--app"}, env: []string{"CELERY_APP"}},
	"flask":  {app: []string{"--app", "-A"}, env: []string{"FLASK_APP"}},
}

var (
	reference = regexp.MustCompile(`^([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*)(\(.*\))?)?$`)
	// kind is what hypercorn takes before the module and the attribute; wsgi:app alone is
	// a module wsgi.
	kind       = regexp.MustCompile(`^[aw]sgi:([^:]+:[^:]+)$`)
	dottedName = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
)

// target returns what the program, when it is a server, is told to import; nil where
// that is not certain.
func (p *pythonProgram) target() *target {
	name := p.module
	if p.isConsoleScript() {
		name = path.Base(p.script)
	}
	s, ok := servers[name]
	if !ok {
		return nil
	}
	for _, variable := range s.env {
		if value, _ := p.im.Env(variable); value != "" {
			return nil
		}
	}
	text, config, t := s.read(p.args)
	text = kind.ReplaceAllString(text, "$1")
	if !s.fits(text) || strings.Contains(t.dir, ",") {
		return nil
	}
	if config == "" && s.config != "" && p.im.Exists(p.im.Absolute(s.config)) {
		config = s.config
	}
	if config != "" && !p.plain(config) {
		return nil
	}
	m := reference.FindStringSubmatch(text)
	t.module, t.attribute, t.called = m[1], m[2], t.called || m[3] != ""
	if !dottedName.MatchString(t.module) {
		return nil
	}
	if t.attribute == "" {
		t.attribute = s.attribute
	}
	t.loose = len(s.app) > 0 && m[2] == ""
	return t
}

// plain reports whether a server's settings, a Python source, leave it where it is.
func (p *pythonProgram) plain(config string) bool {
	e := p.im.Regular(p.im.Absolute(config))
	if e == nil || e.Content().Module == nil {
		return false
	}
	m := e.Content().Module
	return !m.Unread && !m.Dynamic && !m.Hooked && !slices.ContainsFunc(m.Names, func(n string) bool {
		return slices.Contains([]string{"chdir", "pythonpath", "raw_env", "wsgi_app"}, n)
	})
}

// fits reports whether a text names a module and, where the server needs it, an
// attribute.
func (s server) fits(text string) bool {
	m := reference.FindStringSubmatch(text)
	return m != nil && (m[2] != "" || !s.needsAttribute) && !strings.HasSuffix(m[1], ".py")
}

// read goes through a server's arguments: what it is to import, and its settings.
func (s server) read(args []string) (text, config string, t *target) {
	t = &target{dir: "."}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if !strings.HasPrefix(arg, "-") {
			if len(s.app) > 0 {
				continue
			}
			if text == "" {
				text = arg
			}
			continue
		}
		option, value, joined := strings.Cut(arg, "=")
		if slices.Contains(s.flags, option) {
			t.called = t.called || option == "--factory"
			continue
		}
		if !strings.HasPrefix(arg, "--") && len(arg) > 2 { // -A and its value in one
			option, value, joined = arg[:2], strings.TrimPrefix(arg[2:], "="), true
		}
		takes := len(s.app) == 0 || slices.Contains(s.app, option) || slices.Contains(s.dirs, option)
		if !joined && takes && i+1 < len(args) {
			i++
			value = args[i]
		}
		switch {
		case slices.Contains(s.app, option):
			text = value
		case slices.Contains(s.dirs, option):
			t.dir = value
		case len(s.app) == 0 && (option == "-c" || option == "--config"):
			config = value
		}
	}
	return text, config, t
}

// codeModule is the module of python -c.
func (p *pythonProgram) codeModule() *overlay.Imported {
	return &overlay.Imported{Name: "__main__", Source: pysource.Parse([]byte(p.code))}
}
