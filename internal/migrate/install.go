package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// installers are programs that install packages.
var installers map[string]func(m *migration, im *image, program string, args []string, at int, final bool)

func init() {
	pip := (*migration).pip
	system := (*migration).packagesOf
	installers = map[string]func(*migration, *image, string, []string, int, bool){
		"pip": pip, "pip3": pip, "pip3.11": pip, "uv": (*migration).uv,
		"poetry": (*migration).project, "pipenv": (*migration).project, "pdm": (*migration).project, "hatch": (*migration).project,
		"apt-get": system, "apt": system, "apk": system, "dnf": system, "yum": system, "microdnf": system,
		"conda": (*migration).project, "mamba": (*migration).project, "micromamba": (*migration).project,
	}
}

// valued are options of pip that a value follows.
var valued = []string{
	"-r", "--requirement", "-c", "--constraint", "-t", "--target", "--prefix", "--root", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", "--timeout", "--retries",
	"--default-timeout", "--python", "--cache-dir", "-w", "--wheel-dir", "--platform", "--python-version", "--only-binary", "--no-binary", "--progress-bar", "-d", "--dest", "-e", "--editable", "--abi", "--implementation",
}

func (m *migration) pip(im *image, _ string, args []string, at int, final bool) {
	if len(args) == 0 || !slices.Contains([]string{"install", "wheel", "download", "sync"}, args[0]) {
		return
	}
	im.packages = true
	var named []string
	lists := 0
	for i := 1; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case joined && slices.Contains(valued, name):
		case slices.Contains(valued, args[i]) && i+1 < len(args):
			i++
			name, value = args[i-1], args[i]
		case strings.HasPrefix(args[i], "-r") && !strings.HasPrefix(args[i], "--"):
			name, value = "-r", args[i][2:]
		case args[0] == "sync" && !strings.HasPrefix(args[i], "-"):
			name, value = "-r", args[i]
		case strings.HasPrefix(args[i], "-"):
			continue
		default:
			named = append(named, args[i])
			continue
		}
		switch name {
		case "-r", "--requirement":
			lists++
			m.list(im, value, at)
		case "-t", "--target", "--prefix", "-w", "--wheel-dir", "-d", "--dest":
			im.venvs = append(im.venvs, im.abs(value))
		case "-i", "--index-url", "--extra-index-url":
			m.done(at, "pip "+args[0]+" from "+withoutPassword(value), "UV_DEFAULT_INDEX or PIP_INDEX_URL has \"lucidbase lock\" ask that, too")
		case "-e", "--editable":
			named = append(named, value)
		}
	}
	if lists > 0 && final {
		m.done(at, "RUN pip "+args[0]+" in the image: no pip is in it", "the packages are those of the lock")
	}
	named = slices.DeleteFunc(named, func(p string) bool {
		return slices.ContainsFunc(im.venvs, func(v string) bool { return strings.Contains(p, "/") && within(im.abs(p), v) })
	})
	m.named(named, at)
}

// managers are what pip installs of itself.
var managers = regexp.MustCompile(`^(pip|setuptools|setuptools-scm|wheel|uv|pdm|hatch|hatchling|flit|pip-tools|virtualenv|build|(poetry|pdm|hatch)-[a-z-]+|poetry|poetry-core|pipenv)([=<>~!\[].*)?$`)

// named are packages that stand in the Dockerfile alone.
func (m *migration) named(all []string, at int) {
	var packages []string
	for _, p := range all {
		switch {
		case managers.MatchString(p) || strings.HasSuffix(p, ".whl") || strings.HasPrefix(p, "/wheels") || strings.HasPrefix(p, "$"):
		case strings.HasPrefix(p, ".") || strings.HasPrefix(p, "/"):
			m.left(at, "pip install of the directory "+p, "name its modules in source, so that they are below /app itself, write what it depends on into a list of requirements, and run it by python -m")
		case strings.Contains(p, "://"):
			m.left(at, "pip install of "+withoutPassword(p), "what has an address has no hash: install what is released")
		default:
			packages = append(packages, p)
		}
	}
	if len(packages) > 0 {
		m.left(at, "pip install of "+strings.Join(packages, " "), "write that into a list of requirements, a line each, lock it with \"lucidbase lock -r FILE\", and name the lock")
	}
}

// list notes a list of requirements, which is a file of the context.
func (m *migration) list(im *image, name string, at int) {
	if slices.Contains(im.exported, im.abs(name)) {
		m.take(im, "requirements.txt", at) // as the line that writes it is told to call it
		return
	}
	if path.Ext(name) == ".toml" {
		m.left(at, "pip install -r "+name, "write the list with \"uv pip compile "+name+" -o requirements.txt\", lock it with \"lucidbase lock -r requirements.txt\", and name the lock")
		return
	}
	found := append(im.under(m.Context, im.abs(name)), im.mounted(m.Context, im.abs(name))...)
	if len(found) == 0 || found[0].from == "" || found[0].dir {
		m.left(at, "pip install -r "+name, "no such file of the context is there: lock the list, and name the lock")
		return
	}
	m.take(im, found[len(found)-1].from, at)
}

func (m *migration) take(im *image, from string, at int) {
	if m.listAt[from] = at; !slices.Contains(im.lists, from) {
		im.lists = append(im.lists, from)
	}
}

// mounted lists what a RUN mounts of the context at a path.
func (im *image) mounted(context fs.FS, name string) []placed {
	var found []placed
	for _, mount := range im.mounts {
		target := im.abs(mount.Target)
		if mount.Type != instructions.MountTypeBind || mount.From != "" || !within(name, target) {
			continue
		}
		from := path.Join(".", mount.Source, rel(name, target))
		if info, err := fs.Stat(context, from); err == nil && info.Mode().IsRegular() {
			found = append(found, placed{from: from})
		}
	}
	return found
}

// uv is pip with another name, or a project.
func (m *migration) uv(im *image, program string, args []string, at int, final bool) {
	switch {
	case len(args) > 1 && args[0] == "pip":
		m.pip(im, program, args[1:], at, final)
	case len(args) > 0 && args[0] == "venv":
		venv := append(operands(args[1:]), ".venv")[0]
		im.venvs = append(im.venvs, im.abs(venv))
	default:
		m.project(im, program, args, at, final)
	}
}

// exports write a project's packages as a list.
var exports = map[string]string{
	"uv":     "uv export --no-dev --no-emit-project -o requirements.txt",
	"poetry": "poetry export -f requirements.txt -o requirements.txt",
	"pipenv": "pipenv requirements > requirements.txt",
	"pdm":    "pdm export --prod -o requirements.txt",
}

// project is a project's packages, of which no list is.
func (m *migration) project(im *image, program string, args []string, at int, _ bool) {
	if len(args) > 0 && (args[0] == "config" || args[0] == "clean" || args[0] == "cache" || args[0] == "self") {
		return
	}
	im.packages = true
	im.venvs = append(im.venvs, im.abs(".venv"), im.abs("__pypackages__"))
	if how := exports[program]; how != "" {
		m.left(at, "RUN "+program+" "+strings.Join(args[:min(1, len(args))], ""), "write the list with \""+how+"\", lock it with \"lucidbase lock -r requirements.txt\", and name the lock"+itself(program, args))
		return
	}
	m.left(at, "RUN "+program, "write a list of requirements, lock it with \"lucidbase lock -r FILE\", and name the lock")
}

// exports notes the list that a command writes of a project's packages.
func (im *image) exports(command string, w []string) {
	if len(w) < 2 || exports[path.Base(w[0])] == "" || w[1] != "export" && w[1] != "requirements" {
		return
	}
	to := written.FindStringSubmatch(command)
	for i, option := range w {
		if name, value, ok := strings.Cut(option, "="); ok && strings.HasPrefix(name, "--output") {
			to = []string{"", value}
		} else if i+1 < len(w) && (option == "-o" || strings.HasPrefix(option, "--output")) {
			to = []string{"", w[i+1]}
		}
	}
	if to != nil {
		im.exported = append(im.exported, im.abs(to[1]))
	}
}

// itself says what becomes of the project, where that is installed with its packages.
func itself(program string, args []string) string {
	installs := map[string][]string{"uv": {"sync", "--no-install-project"}, "poetry": {"install", "--no-root"}, "pdm": {"install", "--no-self"}}[program]
	if installs == nil || len(args) == 0 || args[0] != installs[0] || slices.Contains(args, installs[1]) || slices.Contains(args, "--only-deps") {
		return ""
	}
	return "; what it installs of the project itself is not there: name its modules in source, so that they are below /app itself"
}

// buildTools are packages that only compile, download or debug, or that a base image has.
var buildTools = regexp.MustCompile(`^(build-essential|build-base|gcc|g\+\+|clang|make|cmake|pkg-config|pkgconf|autoconf|automake|libtool|git|curl|wget|netcat.*|nano|vim|less|procps|gnupg2?|rustc?|cargo|ca-certificates|tzdata|locales|openssl|python3?(\.\d+)?(-.*)?|py3-pip|unzip|zip|patch|bash|sudo|dumb-init|tini|apt-transport-https|software-properties-common|lsb-release|musl|linux-headers|.+-dev|libffi\d|libssl\d(\.\d)?|libgomp1|libstdc\+\+6?|libgcc(-s1)?)([=<>~].*)?$`)

// library matches a package of Debian that is a shared library.
var library = regexp.MustCompile(`^(lib[a-z0-9.+-]+)(:[a-z0-9]+)?([=<>~].*)?$`)

// programsOf matches one that is named as a library is, and has programs.
var programsOf = regexp.MustCompile(`^libreoffice|^lib.*-(tools|utils|bin|progs|examples)$`)

// packagesOf is a system's packages.
func (m *migration) packagesOf(im *image, program string, args []string, at int, final bool) {
	args = operands(withoutValues(args, "-t", "--virtual", "--target-release", "-o", "-c", "-X", "--repository"))
	if len(args) == 0 || args[0] != "install" && args[0] != "add" || !final {
		return
	}
	var libraries, programs []string
	for _, p := range args[1:] {
		found := library.FindStringSubmatch(p)
		switch {
		case strings.HasSuffix(p, ".deb") || strings.HasSuffix(p, ".rpm"):
			programs = append(programs, p)
		case buildTools.MatchString(p) || path.IsAbs(p) || strings.HasPrefix(p, "."):
		case found != nil && strings.HasPrefix(program, "apt") && !programsOf.MatchString(found[1]):
			libraries = append(libraries, found[1])
		default:
			programs = append(programs, p)
		}
	}
	if len(libraries) > 0 {
		im.system = append(im.system, libraries...)
		m.done(at, "RUN "+program+" of "+strings.Join(libraries, " "), "in system: \"lucidbase lock -f lucidbase.yaml\" locks them, with what they need")
	}
	if len(programs) > 0 && m.baseName(im) == "alpine-base" {
		m.left(at, "RUN "+program+" of "+strings.Join(programs, " "), "alpine-base takes no packages: if wheels do not bring what that has, name python-base as base, and in system the packages of Debian 12")
	} else if len(programs) > 0 {
		m.left(at, "RUN "+program+" of "+strings.Join(programs, " "), "name in system the packages of Debian 12 whose programs the service runs; shell scripts of theirs cannot run")
	}
	if len(libraries)+len(programs) < len(args)-1 {
		m.done(at, "RUN "+program+" of what compiles, downloads or debugs", "left out: the image has wheels, certificates and time zones, and no tools")
	}
}
