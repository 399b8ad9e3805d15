package migrate

import (
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// pythonVersion finds the version of Python in a reference: "python:3.12-slim",
// "uv:python3.12-alpine".
var pythonVersion = regexp.MustCompile(`(?:^|/)python:v?(\d+\.\d+)|python-?(\d\.\d+)`)

// own are this project's base images.
var own = regexp.MustCompile(`(?:^|/)((?:python-|alpine-)?base)(?:[:@]|$)`)

// otherLanguages are images of programs that no Python service stands on.
var otherLanguages = regexp.MustCompile(`(^|/)(node|nodejs\d*(-debian\d+)?|golang|rust|openjdk|eclipse-temurin|amazoncorretto|java\d*(-debian\d+)?|ruby|php|dotnet[a-z/-]*|aspnet|nginx|httpd|caddy|traefik|redis|postgres|mysql|mariadb|mongo|haproxy|elixir|erlang|perl|swift|maven|gradle|deno|bun)([:@]|$)`)

// foreign says why an image is not one of a Python service, "" if it may be.
func (im *image) foreign() string {
	switch words := append(im.entrypoint.words, im.cmd.words...); {
	case otherLanguages.MatchString(im.base):
		return im.base + " is not an image of Python: the base images hold Python " + lock.PythonMinor + " and nothing else"
	case len(words) > 0 && otherPrograms[path.Base(words[0])]:
		return path.Base(words[0]) + " is not a program of Python: the base images hold Python " + lock.PythonMinor + " and nothing else"
	case im.python == "" && !im.packages && im.lists == nil && !im.hasPython():
		return "nothing says that this is a service in Python: neither the image " + im.base + ", nor a package, nor what is run"
	}
	return ""
}

var otherPrograms = map[string]bool{"node": true, "npm": true, "yarn": true, "java": true, "nginx": true, "ruby": true, "php": true, "dotnet": true, "go": true, "deno": true, "bun": true}

// hasPython reports whether what is run or copied is Python.
func (im *image) hasPython() bool {
	for _, c := range []command{im.entrypoint, im.cmd} {
		if strings.Contains(strings.Join(c.words, " ")+c.shell, "python") || strings.Contains(strings.Join(c.words, " ")+c.shell, ".py") {
			return true
		}
	}
	for _, f := range im.files {
		if path.Ext(f.from) == ".py" {
			return true
		}
	}
	return false
}

// stand notes the image that a stage stands on, and says what is wrong with it.
func (m *migration) stand(im *image, ref string, at int, final bool) {
	im.base, im.line = ref, at
	if v := pythonVersion.FindStringSubmatch(ref); v != nil {
		im.python = v[1] + v[2]
	}
	im.distroless = strings.Contains(ref, "distroless/python")
	if im.distroless {
		im.python, im.entrypoint.words = "3", []string{"python"}
		if strings.Contains(ref, "debian12") {
			im.python = lock.PythonMinor
		}
	}
	if !final {
		return
	}
	switch name := m.baseName(im); {
	case ref == "" || strings.Contains(ref, "$"):
		m.left(at, "FROM a variable that has no default", name+" is written: say whether that is right")
	case im.distroless:
		m.done(at, ref+", which is discontinued and gets no more fixes", "stands on "+name)
	case ref != "scratch" && !own.MatchString(ref) && !strings.Contains(ref, "@sha256:"):
		m.done(at, ref+", which is not pinned", "stands on "+name+", each file of which is locked")
	}
	if im.python != "" && im.python != "3" && im.python != lock.PythonMinor {
		m.left(at, "Python "+im.python, "the base images have Python "+lock.PythonMinor+": try the service with it")
	}
}

// baseName is the base image that a service of an image stands on.
func (m *migration) baseName(im *image) string {
	if n := own.FindStringSubmatch(im.base); n != nil {
		return n[1]
	}
	if strings.Contains(im.base, "alpine") {
		return "alpine-base"
	}
	return "python-base"
}
