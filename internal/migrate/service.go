package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
)

// service is a service of the file, its fields in the file's order.
type service struct {
	name, base, lock string
	system           []string
	source           []source
	command          []string
	env, labels      map[string]string
	port             int
	ports            []int
	health           health
	writable         []string
	version          string
}

type source struct {
	from, to         string
	include, exclude []string
	line             int
}

type health struct {
	path                           string
	tcp                            bool
	command                        []string
	interval, timeout, startPeriod time.Duration
	retries                        int
}

const appDir = "/app"

// service makes a service of the image of a stage.
func (m *migration) service(stage int, im *image) service {
	s := service{name: m.nameOf(stage), base: m.baseName(im), labels: map[string]string{}, env: map[string]string{}}
	root := im.root()
	s.source = m.sources(im, root)
	s.lock = m.lock(im, s.base)
	s.system = slices.Compact(slices.Sorted(slices.Values(im.system)))
	m.command(im, &s, root)
	m.environment(im, &s, root)
	m.labels(im, &s)
	m.ports(im, &s)
	m.health(im, &s, root)
	m.writable(im, &s, root)
	return s
}

// root is the directory of the image that /app becomes.
func (im *image) root() string {
	inApp := func(f placed) bool { return f.from != "" && within(f.at, appDir) }
	inWorkdir := func(f placed) bool { return f.from != "" && im.workdir != "/" && within(f.at, im.workdir) }
	if within(im.workdir, appDir) || slices.ContainsFunc(im.files, inApp) && !slices.ContainsFunc(im.files, inWorkdir) {
		return appDir
	}
	return im.workdir
}

// moved is a path of the image where the service has it.
func moved(p, root string) string {
	if within(p, root) {
		return path.Join(appDir, rel(p, root))
	}
	return p
}

// projectFiles say how a project is installed; the service does not read them.
var projectFiles = []string{"pyproject.toml", "poetry.lock", "uv.lock", "Pipfile", "Pipfile.lock", "pdm.lock", "setup.py", "setup.cfg"}

// sources are the directories of the context that the image has.
func (m *migration) sources(im *image, root string) []source {
	var all []source
	for _, f := range im.files {
		switch {
		case f.from == "", !f.dir && (slices.Contains(im.lists, f.from) || slices.Contains(projectFiles, path.Base(f.from))):
			continue
		case !f.dir && (path.Ext(f.from) == ".sh" || m.interpreter(f.from) == "shell"):
			m.done(f.line, "COPY of the script "+f.from, "left out: the image has no shell to run it")
			continue
		case within(f.at, "/tmp") && !within(root, "/tmp"):
			m.done(f.line, "COPY to "+f.at, "left out: /tmp is empty where the container runs")
			continue
		case im.packages && !within(f.at, im.workdir) && m.onlyLists(f):
			continue
		case !within(f.at, root) || root == "/" && ofSystem(f.at):
			m.left(f.line, "COPY to "+f.at, "source goes to "+appDir+": put it there, and tell the program")
			continue
		}
		s := source{from: f.from, to: moved(f.at, root), include: f.include, exclude: f.exclude, line: f.line}
		if !f.dir {
			if path.Base(f.from) != path.Base(f.at) {
				m.left(f.line, "COPY of "+f.from+" to "+f.at+", under another name", "name the file what the image calls it, and put it into source")
				continue
			}
			s.from, s.to, s.include = path.Dir(f.from), path.Dir(s.to), []string{path.Base(f.from)}
		}
		all = merge(all, s)
	}
	for i := range all {
		all[i].exclude = append(slices.Clone(all[i].exclude), m.secretsIn(all[i])...)
		m.ignored(all[i].from)
		all[i].from = path.Join(m.Prefix, all[i].from)
	}
	return all
}

// onlyLists reports whether a directory has lists of requirements and nothing else.
func (m *migration) onlyLists(f placed) bool {
	all, err := fs.ReadDir(m.Context, f.from)
	return f.dir && err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(e fs.DirEntry) bool {
		return e.IsDir() || path.Ext(e.Name()) != ".txt" && path.Ext(e.Name()) != ".in"
	})
}

// merge adds a source to others, one that has it too aside.
func merge(all []source, s source) []source {
	for i, have := range all {
		switch {
		case covers(have, s):
			return all
		case have.from == s.from && have.to == s.to && have.include != nil && s.include != nil:
			for _, name := range s.include {
				if !slices.Contains(have.include, name) {
					all[i].include = append(all[i].include, name)
				}
			}
			return all
		case have.from == s.from && have.to == s.to && have.include == nil:
			return all
		}
	}
	all = slices.DeleteFunc(all, func(have source) bool {
		return covers(s, have)
	})
	return append(all, s)
}

// covers reports whether a source has all that another one has, in the same places.
func covers(big, small source) bool {
	from, dir := path.Clean("/"+small.from), path.Clean("/"+big.from)
	if big.include != nil || !within(from, dir) || path.Join(big.to, rel(from, dir)) != small.to {
		return false
	}
	excluded, err := patternmatcher.New(big.exclude)
	if err != nil {
		return false
	}
	for _, name := range append(slices.Clone(small.include), "") {
		if out, err := excluded.MatchesOrParentMatches(path.Join(rel(from, dir), name)); err != nil || out && (name != "" || small.include == nil) {
			return false
		}
	}
	return true
}

// lock names the lock of the lists that are installed.
func (m *migration) lock(im *image, base string) string {
	if len(im.lists) == 0 {
		return ""
	}
	at := m.listAt[im.lists[0]]
	if len(im.lists) > 1 {
		m.left(at, "several lists of requirements: "+strings.Join(im.lists, ", "), "write one list with a line \"-r NAME\" for each, lock that, and name its lock")
	}
	list := path.Join(m.Prefix, im.lists[0])
	m.done(at, "packages of "+im.lists[0], "lock them with \"lucidbase lock -r "+list+" --base "+base+"\"")
	return strings.TrimSuffix(list, path.Ext(list)) + ".lock.txt"
}

// provided are variables that the base images set, or that matter to a build alone.
var providedEnv = regexp.MustCompile(`^(PATH|LANG|LC_ALL|LANGUAGE|HOME|USER|TZ_DATA|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|PYTHONIOENCODING|PYTHONHASHSEED|PYTHONFAULTHANDLER|VIRTUAL_ENV|SSL_CERT_FILE|DEBIAN_FRONTEND|(PIP|UV|POETRY|PIPENV)_.*|PYTHON_VERSION|GPG_KEY)$`)

func (m *migration) environment(im *image, s *service, root string) {
	for name, value := range im.env {
		switch {
		case name == "PYTHONPATH":
			var dirs []string
			for dir := range strings.SplitSeq(value, ":") {
				if !path.IsAbs(dir) || sitePackages.MatchString(dir) || strings.Contains(dir, "$") || slices.Contains(im.venvs, dir) {
					continue
				}
				switch dir = moved(path.Clean(dir), root); {
				case dir == appDir || dir == "/":
				case within(dir, appDir):
					dirs = append(dirs, dir)
				default:
					m.left(im.envAt[name], "PYTHONPATH with "+dir, "source is below "+appDir+" alone: name in source, to a directory there, what is imported from it")
				}
			}
			s.env[name] = strings.Join(dirs, ":")
		case providedEnv.MatchString(name) || value == "":
		case strings.ContainsRune(value, 0):
		default:
			s.env[name] = im.relocated(value, root)
		}
	}
	if dir := moved(im.workdir, root); dir != appDir && within(dir, appDir) {
		s.env["PYTHONPATH"] = strings.Trim(dir+":"+s.env["PYTHONPATH"], ":")
	}
	if s.env["PYTHONPATH"] == "" {
		delete(s.env, "PYTHONPATH")
	}
}

func (m *migration) labels(im *image, s *service) {
	for name, value := range im.labels {
		switch name {
		case "org.opencontainers.image.version":
			s.version = value
		case "org.opencontainers.image.created", "org.opencontainers.image.revision", "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest":
		default:
			if value != "" {
				s.labels[name] = value
			}
		}
	}
}

// listens finds the port in a command: other numbers are of workers, seconds and requests.
var listens = regexp.MustCompile(`(?:--(?:server[.-])?port[ =]|-p |[ =](?:[\w.]*|\[[\w:]*\]):|(?:runserver|http\.server) )(\d{2,5})(?:\s|$)`)

func (m *migration) ports(im *image, s *service) {
	var all []int
	for _, p := range im.ports {
		all = append(all, p.number)
	}
	port, _ := strconv.Atoi(s.env["PORT"])
	if found := listens.FindStringSubmatch(strings.Join(s.command, " ")); port == 0 && found != nil {
		port, _ = strconv.Atoi(found[1])
	}
	if port < 1 || port > 65535 || len(all) > 0 && !slices.Contains(all, port) {
		port = 0
	}
	if port == 0 && len(all) > 0 {
		port = all[0]
	}
	s.port = port
	s.ports = slices.DeleteFunc(all, func(p int) bool { return p == port })
	slices.Sort(s.ports)
	if own := s.env["PORT"]; own != "" && port != 0 {
		if own != strconv.Itoa(port) {
			m.left(im.envAt["PORT"], "ENV PORT="+own+", and another port is exposed", "port is also the variable PORT: say which it is")
		}
		delete(s.env, "PORT")
	}
}

// reserved are directories that a service cannot have for its own.
var reserved = regexp.MustCompile(`^/(|app|home|opt|root|run|srv|mnt|media|var|var/(cache|lib|log|spool))$|^/(bin|boot|dev|etc|lib|lib64|opt/venv|proc|sbin|sys|tmp|usr|var/(lock|run|tmp))(/|$)|^/home/nonroot/`)

// writable are the directories that the image's user owns.
func (m *migration) writable(im *image, s *service, root string) {
	for _, dir := range im.writable {
		at := max(im.writableAt[dir], im.line)
		if dir != root && within(root, dir) {
			continue // made for what is below it
		}
		dir = moved(dir, root)
		source := slices.ContainsFunc(s.source, func(from source) bool { return within(from.to, dir) })
		switch {
		case strings.HasPrefix(dir, "/tmp") || dir == "/root" || strings.HasPrefix(dir, "/root/") || slices.Contains(im.venvs, dir):
		case dir == appDir || source || strings.ContainsAny(dir, ":$\x00"):
			if dir != appDir {
				m.left(at, "a directory of the source that may be written: "+dir, "source belongs to root: have the program write to another directory, and name that in writable")
			}
		case reserved.MatchString(dir):
			m.left(at, "a directory of the system that is to be written: "+dir, "have the program write to another directory, such as /app/data, and name that in writable")
		case !slices.Contains(s.writable, dir):
			s.writable = append(s.writable, dir)
		}
	}
	slices.Sort(s.writable)
}
