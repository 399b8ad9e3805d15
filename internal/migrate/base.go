package migrate

import (
	"cmp"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// pythonVersion finds the version of Python in a reference: "python:3.12-slim",
// "uv:python3.12-alpine".
var pythonVersion = regexp.MustCompile(`(?:^|/)python:v?(\d+\.\d+)|python-?(\d\.\d+)`)

// carried are the versions of Python that a distribution's release has.
var carried = map[string]string{
	"debian10": "3.7", "buster": "3.7", "debian11": "3.9", "bullseye": "3.9", "debian12": lock.PythonMinor, "bookworm": lock.PythonMinor, "debian13": "3.13", "trixie": "3.13",
	"ubuntu18.04": "3.6", "bionic": "3.6", "ubuntu20.04": "3.8", "focal": "3.8", "ubuntu22.04": "3.10", "jammy": "3.10", "ubuntu24.04": "3.12", "noble": "3.12",
}

// packed is a version of Python without its dot: "ubi9/python-312".
var packed = regexp.MustCompile(`(?:^|/)python-?3(\d\d?)(?:[:@]|$)`)

// release finds a distribution's release in a reference: "debian:12-slim",
// "python3-debian11:nonroot", "ubuntu:jammy".
var release = regexp.MustCompile(`(?:^|/)(debian|ubuntu):(\d+(?:\.\d\d)?)|-(debian\d+)(?:[:@]|$)|(?:^|/)(?:debian|ubuntu):([a-z]+)`)

// plain are images that hold Python or a distribution, and nothing that a service could
// need besides; special are those of a like name that hold more.
var (
	plain   = regexp.MustCompile(`(^|/)(python|debian|ubuntu|alpine|buildpack-deps|scratch|uv)([:@]|$)|distroless/|(^|/)python-?3[^/:@]*([:@]|$)`)
	special = regexp.MustCompile(`(^|/)(lambda|playwright|azure-functions)(/|:|$)|onbuild`)
)

// versionOf is the version of Python in an image, "" if its name does not say it.
func versionOf(ref string) string {
	if v := pythonVersion.FindStringSubmatch(ref); v != nil {
		return v[1] + v[2]
	}
	if v := packed.FindStringSubmatch(ref); v != nil {
		return "3." + v[1]
	}
	if r := release.FindStringSubmatch(ref); r != nil {
		return carried[r[1]+r[2]+r[3]+r[4]]
	}
	return ""
}

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
	case pythonVersion.FindString(im.base) == "" && !im.distroless && !im.packages && im.lists == nil && !im.hasPython():
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
	im.python = versionOf(ref)
	im.distroless = strings.Contains(ref, "distroless/python")
	if im.distroless {
		im.python, im.entrypoint.words = cmp.Or(im.python, "3"), []string{"python"}
	}
	if strings.Contains(ref, "chainguard/python") {
		im.entrypoint.words = []string{"python"}
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
	m.inside(im, at)
}

// inside says what an image holds that the base image does not.
func (m *migration) inside(im *image, at int) {
	known := im.base != "" && !strings.Contains(im.base, "$") && im.base != "scratch" && !own.MatchString(im.base)
	switch {
	case known && (special.MatchString(im.base) || !plain.MatchString(im.base)):
		m.left(at, im.base+" may hold packages, programs and settings of its own", "write the packages that the service needs of it into the list of requirements, name those of Debian in system, and the program in command")
	case known && im.python == "":
		m.left(at, im.base+", whose version of Python is not said", "the base images have Python "+lock.PythonMinor+": try the service with it")
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
