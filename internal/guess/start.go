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
	// class is the application's.
	class string
	// command starts an application; has reports whether a package is required.
	command func(a application, port string, has func(string) bool) []string
	// listens reports whether it has a port.
	listens bool
}

// application is what a server imports.
type application struct {
	file, name string
	// called is set where the name is a function that makes the application.
	called bool
}

func (a application) String() string {
	reference := module(a.file) + ":" + a.name
	if a.called {
		reference += "()"
	}
	return reference
}

const factoryName = `(?:(?:create|make|build|get)_(?:app|application)|app_factory)`

// factory matches a function that makes an application and needs no argument.
var factory = regexp.MustCompile(`(?m)^def (` + factoryName + `)\((?:\s*(?:\*\s*,)?\s*\w+[^,()=\n]*=[^,()\n]+,?|\s*\*\*?\w+,?)*\s*\)`)

// find finds the application of a class: what a module has it in, else what a module
// has of a factory, else the factory. Of several modules it is the nearest of a name that
// people use: a script such as init_db.py makes the application, too.
func find(files []source, class string) (application, bool) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b source) int { return usualFirst(a.name) - usualFirst(b.name) })
	makes := regexp.MustCompile(`\b` + class + `\(`)
	factories := slices.ContainsFunc(files, func(f source) bool { return factory.MatchString(f.text) && makes.MatchString(f.text) })
	for _, call := range []string{class, factoryName} {
		made := regexp.MustCompile(`(?m)^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?` + call + `\(`)
		for _, f := range files {
			if m := made.FindStringSubmatch(f.text); m != nil && (call == class || factories) {
				return application{f.name, m[1], false}, true
			}
		}
	}
	for _, f := range files {
		if m := factory.FindStringSubmatch(f.text); m != nil && makes.MatchString(f.text) {
			return application{f.name, m[1], true}, true
		}
	}
	return application{}, false
}

var usualApplication = []string{"wsgi.py", "asgi.py", "app.py", "main.py", "server.py", "run.py", "application.py", "api.py", "__init__.py", "__main__.py"}

// usualFirst is 0 for a file of a name that people use, and else 1.
func usualFirst(name string) int {
	if slices.Contains(usualApplication, path.Base(name)) {
		return 0
	}
	return 1
}

func asgi(a application, port string, _ func(string) bool) []string {
	command := []string{"python", "-m", "uvicorn", module(a.file) + ":" + a.name, "--host", "0.0.0.0", "--port", port}
	if a.called {
		command = append(command, "--factory")
	}
	return command
}

func wsgi(reference, port string) []string {
	return []string{"gunicorn", "--bind", "0.0.0.0:" + port, reference}
}

var frameworks = []framework{
	{"fastapi", "FastAPI", asgi, true},
	{"starlette", "Starlette", asgi, true},
	{"flask", "Flask", func(a application, port string, has func(string) bool) []string {
		if has("gunicorn") {
			return wsgi(a.String(), port)
		}
		return []string{"python", "-m", "flask", "--app", a.String(), "run", "--host", "0.0.0.0", "--port", port}
	}, true},
	{"celery", "Celery", func(a application, _ string, _ func(string) bool) []string {
		return []string{"celery", "-A", module(a.file) + ":" + a.name, "worker", "--loglevel", "info"}
	}, false},
}

// start finds how the program starts.
func (p *Project) start(fsys fs.FS, files []source, packages []string) {
	has := func(name string) bool { return slices.Contains(packages, name) }
	port, from := listens(fsys, files)
	defer p.writes(files)
	if p.django(files, port, from, has) || p.streamlit(files, port, from, has) {
		return
	}
	for _, f := range frameworks {
		a, ok := find(files, f.class)
		if !ok {
			continue
		}
		if said, script := served(fsys, files); f.listens && script != "" {
			a = said
			p.note("framework %s: %s has %s, says %s", f.name, a.file, a.name, script)
		} else {
			p.note("framework %s: %s makes %s", f.name, a.file, a.name)
		}
		if f.listens {
			p.listen(port, from)
		}
		p.Command = f.command(a, strconv.Itoa(p.Port), has)
		p.health(files)
		return
	}
	p.plain(fsys, files, port, from)
}

var staticRoot = regexp.MustCompile(`(?m)^STATIC_ROOT\s*=`)

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
		p.Command = wsgi(module(files[w].name)+":application", strconv.Itoa(p.Port))
	}
	if slices.ContainsFunc(files, func(f source) bool { return staticRoot.MatchString(f.text) }) {
		p.note("to do: python %s collectstatic before each build, which runs nothing of the service: what it writes is a part of the source", files[i].name)
	}
	p.health(files)
	return true
}

// streamlitPort is Streamlit's own.
const streamlitPort = 8501

var importsStreamlit = regexp.MustCompile(`(?m)^(?:import|from)\s+streamlit\b`)

// streamlit finds the script that Streamlit runs: the nearest of a name that people use,
// or else the nearest that imports it. What is in pages is found by Streamlit.
func (p *Project) streamlit(files []source, port int, from string, has func(string) bool) bool {
	if !has("streamlit") {
		return false
	}
	scripts := slices.DeleteFunc(slices.Clone(files), func(f source) bool {
		return !importsStreamlit.MatchString(f.text) || path.Base(path.Dir(f.name)) == "pages"
	})
	if len(scripts) == 0 {
		return false
	}
	i := slices.IndexFunc(scripts, func(f source) bool {
		return slices.Contains([]string{"streamlit_app.py", "app.py", "main.py", "Home.py"}, path.Base(f.name))
	})
	script := scripts[max(0, i)].name
	p.note("framework streamlit: %s is run", script)
	if port == 0 {
		port, from = streamlitPort, "Streamlit"
	}
	p.listen(port, from)
	p.Command = []string{"streamlit", "run", script, "--server.address", "0.0.0.0", "--server.port", strconv.Itoa(p.Port), "--server.headless", "true"}
	p.Path = "/_stcore/health"
	p.note("health %s, of Streamlit", p.Path)
	return true
}

var isMain = regexp.MustCompile(`(?m)^if\s+__name__\s*==\s*['"]__main__['"]`)

// plain finds a module to run: what a starter runs, or else the nearest of a name that
// people use, one that says that it is run, or the only one that nothing imports and that calls something.
func (p *Project) plain(fsys fs.FS, files []source, port int, from string) {
	usual := []string{"__main__.py", "main.py", "app.py", "server.py", "run.py", "entrypoint.py"}
	i := started(fsys, files)
	for _, other := range []func(source) bool{
		func(f source) bool { return slices.Contains(usual, path.Base(f.name)) && isMain.MatchString(f.text) },
		func(f source) bool { return slices.Contains(usual, path.Base(f.name)) },
		func(f source) bool { return isMain.MatchString(f.text) },
	} {
		if i < 0 {
			i = slices.IndexFunc(files, other)
		}
	}
	if i < 0 {
		i = notImported(files)
	}
	if i < 0 {
		p.Command = []string{"python", "-m", "main"}
		p.note("command unknown: nothing looks like a program; python -m main stands for it")
		return
	}
	p.Command = runs(files[i])
	p.note("no framework: %s is run", files[i].name)
	if port != 0 {
		p.listen(port, from)
		p.health(files)
	}
}

// mainFunction matches a function that is the program, where nothing in its module
// calls it.
var mainFunction = regexp.MustCompile(`(?m)^(async )?def (main|run)\(\s*\)`)

// runs returns what runs a module.
func runs(f source) []string {
	name := strings.TrimSuffix(module(f.name), ".__main__")
	m := mainFunction.FindStringSubmatch(f.text)
	called := m != nil && regexp.MustCompile(`(?m)^[^#\n]*\b`+m[2]+`\(\)(?:\)|\s*$)`).MatchString(f.text)
	switch {
	case m == nil || called || isMain.MatchString(f.text):
		return []string{"python", "-m", name}
	case m[1] != "":
		return []string{"python", "-c", fmt.Sprintf("import asyncio; from %s import %s; asyncio.run(%s())", name, m[2], m[2])}
	}
	return []string{"python", "-c", fmt.Sprintf("from %s import %s; %s()", name, m[2], m[2])}
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
	ports   = regexp.MustCompile(`(?i)(?:\bport["']?\s*(?::\s*int\s*)?[=,]\s*(?:default\s*=\s*)?["']?|\badd_(?:in)?secure_port\(\s*["'][^"'\n]*:)(\d{2,5})\b`)
)

// listens finds the port: what a Dockerfile exposes, what a server is started with, or
// what the source says.
func listens(fsys fs.FS, files []source) (port int, from string) {
	if text, err := read(fsys, "Dockerfile"); err == nil {
		if port := number(exposes.FindStringSubmatch(text)); port != 0 {
			return port, "Dockerfile"
		}
	}
	if port, from := servedPort(fsys); port != 0 {
		return port, from
	}
	for _, f := range files {
		if port := number(ports.FindStringSubmatch(f.text)); port != 0 {
			return port, f.name
		}
	}
	return 0, ""
}

// number returns the port that a pattern has found, or 0.
func number(found []string) int {
	if found == nil {
		return 0
	}
	port, err := strconv.Atoi(found[1])
	if err != nil || port > 65535 {
		return 0
	}
	return port
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
	if len(p.System) > 0 {
		line("    system: %s", words(p.System))
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
