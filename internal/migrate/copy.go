package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// placed is a file or directory of the context at a path in an image, or an empty
// directory that a command made: then from is empty.
type placed struct {
	at, from         string
	dir              bool
	include, exclude []string
	line             int
}

// maxPlaced is how many are kept of one image: copies of copies grow without end.
const maxPlaced = 2000

// place adds what an instruction copies or makes.
func (im *image) place(p placed) {
	if len(im.files) < maxPlaced {
		im.files = append(im.files, p)
	}
}

// within reports whether a path is a directory or below it.
func within(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// rel is a path below dir, "" for dir itself.
func rel(name, dir string) string { return strings.Trim(strings.TrimPrefix(name, dir), "/") }

func (m *migration) copy(im *image, c *instructions.CopyCommand, at int, final bool) {
	for _, content := range c.SourceContents {
		if final {
			m.left(at, "a file written in the Dockerfile: "+content.Path, "put it into a file of the source")
		}
	}
	i, isStage := m.stageOf(c.From, im.stage)
	for _, src := range c.SourcePaths {
		switch {
		case c.From == "":
			m.fromContext(im, src, c, at, final)
		case isStage:
			m.fromStage(im, m.image(imageKey{i, false}), src, c, at, final)
		case final && !m.system(src, at):
			m.left(at, "COPY of "+src+" from the image "+c.From, "nothing is copied from other images: a wheel, or the source, may have it")
		}
	}
}

// dest is where a source of a COPY goes, a file's name included.
func (im *image) dest(c *instructions.CopyCommand, src string) string {
	at := im.abs(c.DestPath)
	known := at == im.workdir || slices.ContainsFunc(im.files, func(f placed) bool { return f.dir && f.at == at })
	if len(c.SourcePaths)+len(c.SourceContents) > 1 || strings.HasSuffix(c.DestPath, "/") || known {
		return path.Join(at, path.Base(src))
	}
	return at
}

// fromContext places a source of the context.
func (m *migration) fromContext(im *image, src string, c *instructions.CopyCommand, at int, final bool) {
	pattern := strings.TrimPrefix(path.Clean("/"+src), "/")
	if pattern == "" {
		pattern = "."
	}
	if what := verify.SecretFile("/"+pattern, nil); what != "" {
		m.secret(pattern, what, at)
		return
	}
	found := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		found, _ = fs.Glob(m.Context, pattern) // a wrong pattern finds nothing
		if m.areFiles(found) && !strings.ContainsAny(path.Dir(pattern), "*?[") && !c.Parents {
			im.place(placed{
				at: im.abs(c.DestPath), from: path.Dir(pattern), dir: true, include: []string{path.Base(pattern)}, exclude: c.ExcludePatterns, line: at,
			})
			return
		}
	}
	for i, name := range found {
		info, err := fs.Stat(m.Context, name)
		if err != nil {
			found[i] = ""
			continue
		}
		p := placed{at: im.dest(c, name), from: name, dir: info.IsDir(), exclude: c.ExcludePatterns, line: at}
		if p.dir {
			p.at = im.abs(c.DestPath)
		}
		if c.Parents {
			p.at = path.Join(im.abs(c.DestPath), name)
		}
		im.place(p)
	}
	if found = slices.DeleteFunc(found, func(s string) bool { return s == "" }); len(found) == 0 {
		// A pattern that matches nothing is no loss in a stage that only builds, or beside others.
		if final && len(c.SourcePaths) == 1 || !strings.ContainsAny(pattern, "*?[") {
			m.left(at, "COPY of "+src+": it is not in the build's context", "write it, or run migrate where the Dockerfile is built")
		}
	}
}

// areFiles reports whether paths are those of files.
func (m *migration) areFiles(names []string) bool {
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool {
		info, err := fs.Stat(m.Context, name)
		return err != nil || info.IsDir()
	})
}

func (m *migration) secret(name, what string, at int) {
	m.done(at, "COPY of "+name+": "+what, "left out; revoke what was ever pushed, and mount it or use --env-file where the container runs")
}

// fromStage follows a source of another stage back to the context.
func (m *migration) fromStage(im, other *image, src string, c *instructions.CopyCommand, at int, final bool) {
	from := path.Clean("/" + src)
	dest := im.dest(c, src)
	if slices.Contains(other.exported, from) {
		im.exported = append(im.exported, dest)
		return
	}
	m.carry(im, other, from, im.abs(c.DestPath))
	if m.installed(im, other, from, at, final) {
		if strings.HasSuffix(from, "-packages") {
			im.venvs = append(im.venvs, im.abs(c.DestPath))
		}
		return
	}
	found := other.under(m.Context, from)
	for _, p := range found {
		if p.dir && p.at == "" || p.at != "" {
			p.at = path.Join(im.abs(c.DestPath), p.at)
		} else {
			p.at = dest
		}
		p.line, p.exclude = at, slices.Concat(p.exclude, c.ExcludePatterns)
		im.place(p)
		if p.from == "" && final {
			im.written(p.at, at)
		}
	}
	optional := len(c.SourcePaths) > 1 && strings.ContainsAny(from, "*?[")
	if len(found) > 0 || !final || optional || m.system(from, at) {
		return
	}
	m.left(at, "COPY of "+from+", which is made in the stage "+c.From, "nothing of the build's context is there: make it before, and put it into the source")
}

// under lists what is at a path or below it, with paths from there.
func (im *image) under(context fs.FS, dir string) []placed {
	var found []placed
	if strings.ContainsAny(dir, "*?[") {
		for _, p := range im.files {
			if ok, _ := path.Match(dir, p.at); ok {
				p.at = path.Base(p.at)
				found = append(found, p)
			}
		}
		return found
	}
	for _, p := range im.files {
		switch {
		case within(p.at, dir):
			p.at = rel(p.at, dir)
			found = append(found, p)
		case p.dir && p.from != "" && within(dir, p.at):
			p.from = path.Join(p.from, rel(dir, p.at))
			if info, err := fs.Stat(context, p.from); err == nil {
				p.at, p.dir = "", info.IsDir()
				found = append(found, p)
			}
		}
	}
	return found
}

// sitePackages are directories of installed packages.
var sitePackages = regexp.MustCompile(`/(site|dist)-packages(/|$)|/__pypackages__(/|$)|/\.local(/|$)|^/usr/local(/lib(/python3[^/]*)?)?/?$|/(\.?venv|virtualenv)(/|$)`)

// installed says what becomes of packages that are copied, and reports whether they are.
func (m *migration) installed(im, other *image, from string, at int, final bool) bool {
	isVenv := slices.ContainsFunc(other.venvs, func(v string) bool { return within(from, v) })
	if !isVenv && !sitePackages.MatchString(from) {
		return false
	}
	im.packages = true
	if !other.packages {
		m.left(at, "packages copied from "+from+", which no line installs", "write a list of requirements, lock it with \"lucidbase lock -r FILE\", and name the lock")
	}
	im.takeLists(other)
	im.venvs = append(im.venvs, other.venvs...)
	if final {
		found := "packages copied from " + from
		if other.python != im.python || im.distroless {
			found += " to another interpreter (" + other.base + " to " + im.base + ")"
		}
		m.done(at, found, "left out: the packages are those of the lock, for the image's own Python")
	}
	return true
}

func (im *image) takeLists(other *image) {
	for _, l := range other.lists {
		if !slices.Contains(im.lists, l) {
			im.lists = append(im.lists, l)
		}
	}
}

// carry notes where the packages are that come with a directory: it is theirs, or they
// are below it.
func (m *migration) carry(im, other *image, from, to string) {
	for _, v := range slices.Clone(other.venvs) {
		switch {
		case within(from, v):
			im.venvs = append(im.venvs, to)
		case within(v, from):
			im.packages = true
			im.takeLists(other)
			im.venvs = append(im.venvs, path.Join(to, rel(v, from)))
		}
	}
}

// systemPaths are where a distribution's files are.
var systemPaths = regexp.MustCompile(`^/(bin|sbin|lib|lib32|lib64|usr|etc|var/lib|opt)(/|$)`)

// ofSystem reports whether a path is one where programs look for a system's files.
func ofSystem(name string) bool {
	return systemPaths.MatchString(name) && !within(name, "/opt") && !within(name, "/usr/src")
}

// provided are files that each base image has.
var provided = regexp.MustCompile(`^/etc/(passwd|group|ssl|ca-certificates|nsswitch\.conf|localtime|timezone)|^/usr/(share|local/share)/(zoneinfo|ca-certificates)|^/usr/lib/ssl`)

// system says what becomes of a system's files that are copied, and reports whether they are.
func (m *migration) system(from string, at int) bool {
	name := path.Base(from)
	what := "COPY of " + from
	switch {
	case verify.ShellName(name):
		m.done(at, what+", a shell: what breaks into the service has it, too", "left out: nothing in the image needs it")
	case provided.MatchString(from):
		m.done(at, what, "left out: the base image has it")
	case slices.Contains([]string{"curl", "wget", "nc", "ncat", "netcat", "jq", "tini", "dumb-init", "gosu", "su-exec"}, name) || strings.HasPrefix(name, "python3"):
		m.done(at, what, "left out: a health check needs no program, and the base image has Python; start it with --init where it leaves zombies")
	case slices.Contains([]string{"uv", "uvx", "pip", "poetry", "pdm"}, name):
		m.done(at, what, "left out: the packages are those of the lock, and nothing installs more")
	case programDir.MatchString(from):
		m.done(at, what+": it has shells and package managers", "left out: commands of Python packages come with the lock")
	case from == "/usr" || from == "/var/lib" || from == "/etc" || from == "/":
		m.done(at, what+": it is another system, with shells and package managers", "left out: the base image has its own")
	case strings.Contains(name, ".so") || strings.Contains(from, "/lib"):
		m.left(at, what+", libraries of another system", "left out: wheels bring theirs, such as psycopg[binary]; name in system the Debian package that has what is missing")
	case ofSystem(from):
		m.left(at, what, "left out: put what the service needs of it into the source")
	default:
		return false
	}
	return true
}

// add is an ADD: of the context as COPY, of an address or an archive another thing.
func (m *migration) add(im *image, c *instructions.AddCommand, at int, final bool) {
	as := &instructions.CopyCommand{SourcesAndDest: c.SourcesAndDest, ExcludePatterns: c.ExcludePatterns}
	as.SourcePaths = nil
	for _, src := range c.SourcePaths {
		switch {
		case inits[path.Base(src)] || inits[path.Base(c.DestPath)]:
			m.done(at, "ADD of "+withoutPassword(src), "left out: run the container with --init where the program leaves zombies")
		case strings.Contains(src, "://") || strings.HasPrefix(src, "git@"):
			m.left(at, "ADD of "+withoutPassword(src), "put the file into the source: what is downloaded has no hash")
		case archive.MatchString(src):
			m.left(at, "ADD of the archive "+src+", which is unpacked", "put what is in it into the source")
		default:
			as.SourcePaths = append(as.SourcePaths, src)
		}
	}
	m.copy(im, as, at, final)
}

// inits are programs that only start others.
var inits = map[string]bool{"tini": true, "tini-static": true, "dumb-init": true, "catatonit": true, "gosu": true, "su-exec": true}

// programDir is a directory of a system's programs; archive what ADD unpacks.
var (
	programDir = regexp.MustCompile(`/s?bin$`)
	archive    = regexp.MustCompile(`\.(tar|tgz|tbz2?|txz|tar\.\w+)$`)
)

var password = regexp.MustCompile(`://[^/@]*@`)

func withoutPassword(address string) string { return password.ReplaceAllString(address, "://") }
