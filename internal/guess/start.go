package guess

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// framework is one that is known by what it calls.
type framework struct {
	name string
	// made matches where the application is made: its first group is the variable.
	made *regexp.Regexp
	// command starts the application in module as variable; has reports whether a package
	// is required.
	command func(module, variable, port string, has func(string) bool) []string
	// listens is whether it has a port.
	listens bool
}

func madeBy(class string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?` + class + `\(`)
}

func asgi(module, variable, port string, _ func(string) bool) []string {
	return []string{"python", "-m", "uvicorn", module + ":" + variable, "--host", "0.0.0.0", "--port", port}
}

func wsgi(module, variable, port string) []string {
	return []string{"gunicorn", "--bind", "0.0.0.0:" + port, module + ":" + variable}
}

var frameworks = []framework{
	{"fastapi", madeBy("FastAPI"), asgi, true},
	{"starlette", madeBy("Starlette"), asgi, true},
	{"flask", madeBy("Flask"), func(module, variable, port string, has func(string) bool) []string {
		if has("gunicorn") {
			return wsgi(module, variable, port)
		}
		return []string{"python", "-m", "flask", "--app", module + ":" + variable, "run", "--host", "0.0.0.0", "--port", port}
	}, true},
	{"celery", madeBy("Celery"), func(module, variable, _ string, _ func(string) bool) []string {
		return []string{"celery", "-A", module + ":" + variable, "worker", "--loglevel", "info"}
	}, false},
}

// start finds how the program starts.
func (p *Project) start(fsys fs.FS, files []source, packages []string) {
	has := func(name string) bool { return slices.Contains(packages, name) }
	port, from := listens(fsys, files)
	if p.django(files, port, from, has) {
		return
	}
	for _, f := range frameworks {
		for _, file := range files {
			m := f.made.FindStringSubmatch(file.text)
			if m == nil {
				continue
			}
			p.note("framework %s: %s makes %s", f.name, file.name, m[1])
			if f.listens {
				p.listen(port, from)
			}
			p.Command = f.command(module(file.name), m[1], strconv.Itoa(p.Port), has)
			p.health(files)
			return
		}
	}
	p.plain(files, port, from)
}

// django finds a project by what starts it.
func (p *Project) django(files []source, port int, from string, has func(string) bool) bool {
	i := slices.IndexFunc(files, func(f source) bool {
		return path.Base(f.name) == "manage.py" && strings.Contains(f.text, "DJANGO_SETTINGS_MODULE")
	})
	if i < 0 {
		return false
	}
	p.note("framework django: %s", files[i].name)
	p.listen(port, from)
	p.Command = []string{"python", files[i].name, "runserver", "--noreload", "0.0.0.0:" + strconv.Itoa(p.Port)}
	if w := slices.IndexFunc(files, func(f source) bool { return path.Base(f.name) == "wsgi.py" }); w >= 0 && has("gunicorn") {
		p.Command = wsgi(module(files[w].name), "application", strconv.Itoa(p.Port))
	}
	p.health(files)
	return true
}

var isMain = regexp.MustCompile(`(?m)^if\s+__name__\s*==\s*['"]__main__['"]`)

// plain finds a module to run: the nearest of a name that people use, or else one that
// says that it is run.
func (p *Project) plain(files []source, port int, from string) {
	usual := []string{"__main__.py", "main.py", "app.py", "server.py", "run.py", "entrypoint.py"}
	i := slices.IndexFunc(files, func(f source) bool { return slices.Contains(usual, path.Base(f.name)) && isMain.MatchString(f.text) })
	for _, other := range []func(source) bool{
		func(f source) bool { return slices.Contains(usual, path.Base(f.name)) },
		func(f source) bool { return isMain.MatchString(f.text) },
	} {
		if i < 0 {
			i = slices.IndexFunc(files, other)
		}
	}
	if i < 0 {
		p.Command = []string{"python", "-m", "main"}
		p.note("command unknown: nothing looks like a program; python -m main stands for it")
		return
	}
	p.Command = []string{"python", "-m", strings.TrimSuffix(module(files[i].name), ".__main__")}
	p.note("no framework: %s is run", files[i].name)
	if port != 0 {
		p.listen(port, from)
		p.health(files)
	}
}

const usualPort = 8000

func (p *Project) listen(port int, from string) {
	p.Port = port
	if port == 0 {
		p.Port = usualPort
		p.note("port %d: nothing says another", p.Port)
		return
	}
	p.note("port %d, of %s", port, from)
}

var (
	exposes = regexp.MustCompile(`(?mi)^\s*EXPOSE\s+(\d{1,5})`)
	ports   = regexp.MustCompile(`(?i)\bport["']?\s*(?::\s*int\s*)?[=,]\s*(?:default\s*=\s*)?["']?(\d{2,5})\b`)
)

// listens finds the port: what a Dockerfile exposes, or what the source says.
func listens(fsys fs.FS, files []source) (port int, from string) {
	if text, err := read(fsys, "Dockerfile"); err == nil {
		files = append([]source{{"Dockerfile", text}}, files...)
	}
	for _, f := range files {
		pattern := ports
		if f.name == "Dockerfile" {
			pattern = exposes
		}
		if m := pattern.FindStringSubmatch(f.text); m != nil {
			if port, err := strconv.Atoi(m[1]); err == nil && port > 0 && port <= 65535 {
				return port, f.name
			}
		}
	}
	return 0, ""
}

var healthPath = regexp.MustCompile(`["'](/(?:api/)?(?:health|healthz|health_check|healthcheck|ping|ready|livez))["']`)

// health finds a path to ask; without one, only the port is asked.
func (p *Project) health(files []source) {
	if p.Port == 0 {
		return
	}
	for _, f := range files {
		if m := healthPath.FindStringSubmatch(f.text); m != nil {
			p.Path = m[1]
			p.note("health %s, of %s", p.Path, f.name)
			return
		}
	}
	p.note("health: whether the port answers; no path for it was found")
}

// module is the name that a file is imported by.
func module(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(name, ".py"), "/__init__"), "/", ".")
}

var plainWord = regexp.MustCompile(`^[A-Za-z_./-][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)?$`)

// words are a list in YAML, in one line.
func words(all []string) string {
	var quoted []string
	for _, w := range all {
		if !plainWord.MatchString(w) || slices.Contains([]string{"true", "false", "null", "-", ".", "~"}, strings.ToLower(w)) {
			w = strconv.Quote(w)
		}
		quoted = append(quoted, w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// base is the image that the service stands on.
func (p Project) base() string {
	if p.Lock == "" {
		return "bare-base"
	}
	return "python-base"
}

// YAML is the project as a file of services.
func (p Project) YAML() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("services:\n  %s:\n    base: %s", p.quotedName(), p.base())
	if p.Lock != "" {
		line("    lock: %s", p.Lock)
	}
	line("    source:\n      - from: %s\n        to: %s", p.From, p.To)
	if len(p.Exclude) > 0 {
		line("        exclude: %s", words(p.Exclude))
	}
	line("    command: %s", words(p.Command))
	if p.Port != 0 {
		line("    port: %d", p.Port)
		if p.Path != "" {
			line("    health: {path: %s}", p.Path)
		} else {
			line("    health: {tcp: true}")
		}
	}
	return b.String()
}

// quotedName is the name as a key: one of digits alone is quoted.
func (p Project) quotedName() string {
	if plainWord.MatchString(p.Name) {
		return p.Name
	}
	return strconv.Quote(p.Name)
}
