package variants

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var serviceName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)

// check reports every wrong field that a base image has not.
func (s Service) check(b base) error {
	var errs []error
	bad := func(format string, args ...any) {
		field, found, _ := strings.Cut(fmt.Sprintf(format, args...), ": ")
		errs = append(errs, &FieldError{field, found})
	}
	if !serviceName.MatchString(s.Name) {
		bad("Name: %q is not the name of an image: lower-case letters and digits, with . _ or - between", s.Name)
	}
	if b.dev {
		bad("Base: %s is for build stages and debugging, and has a shell", b.name)
	}
	if len(b.Packages.Requirements) > 0 {
		bad("Base: it has Packages; what a service needs is in its Lock")
	}
	switch with := s.Lock.Base.Name; {
	case len(s.Lock.Requirements) == 0:
	case with == "":
		bad("Lock: it was locked without a base, and is not complete: run \"lucidbase lock -r FILE --base %s\"", baseName(b))
	case isOurs(b) && with != b.name:
		bad("Lock: it was locked with %s, and Base is %s", with, b.name)
	}
	s.checkSource(bad)
	s.checkWritable(bad)
	s.checkPorts(bad)
	if len(s.Command) == 0 {
		bad("Command: missing")
	}
	for _, words := range [][]string{s.Command, s.Health.Command} {
		if i := slices.IndexFunc(words, func(w string) bool { return strings.ContainsRune(w, 0) }); i >= 0 || len(words) > 0 && words[0] == "" {
			bad("Command: %q has an empty program or a NUL byte", words)
		}
	}
	s.checkInterpreter(b, bad)
	s.Health.check(s.Port, bad)
	return errors.Join(errs...)
}

// FieldError says what is wrong with a field of a Service.
type FieldError struct {
	// Field is its name, such as "Port" or "Source[0].To".
	Field string
	Found string
}

// Error returns the field and what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Found }

// Validate reports every field that is wrong on any platform, each as a *FieldError.
func (s Service) Validate() error {
	if s.Base == nil {
		return errors.Join(&FieldError{"Base", "missing, such as variants.Python{}"}, s.check(base{}))
	}
	b, err := s.Base.base().complete()
	return errors.Join(err, s.check(b))
}

var systemPython = regexp.MustCompile(`^/usr/(local/)?bin/python[0-9.]*$`)

// checkInterpreter reports the system's Python in the place of the virtual environment's:
// Dockerfiles for other images have it, and no package is found.
func (s Service) checkInterpreter(b base, bad func(format string, args ...any)) {
	none := len(s.Lock.Requirements) == 0 && b.tier == lock.Bare || strings.Contains(s.Env["PYTHONPATH"], stage.VenvPath)
	for i, words := range [][]string{s.Command, s.Health.Command} {
		if len(words) > 0 && systemPython.MatchString(words[0]) && !none {
			bad("%s: %s has none of the packages, which are in %s: write \"python\"", []string{"Command", "Health"}[i], words[0], stage.VenvPath)
		}
	}
}

// lockNames are what "lucidbase lock --base" calls the base images that it knows.
var lockNames = map[string]lock.Tier{"python-base": lock.Python, "base": lock.Standard, "alpine-base": lock.Minimal, "bare-base": lock.Bare}

// isOurs reports whether a base is one that lists are locked with.
func isOurs(b base) bool { return lockNames[b.name] != "" && lockNames[b.name] == b.tier }

// baseName is what to lock a list with.
func baseName(b base) string {
	if isOurs(b) {
		return b.name
	}
	return "BASE"
}

// checkSystem reports a lock of Debian packages that is for another base.
func (s Service) checkSystem(b base, p lucidbase.Platforms) error {
	if s.System.IsZero() {
		return nil
	}
	if b.musl {
		return fmt.Errorf("System: Debian packages are for a base of Debian, and %s is none", b.name)
	}
	platform := lucidbase.FormatPlatform(p.Target)
	with, ok := s.System.Platforms[platform]
	switch {
	case !ok:
		return fmt.Errorf("System: not locked for %s", platform)
	case with.Base != b.Locks.Debian.Platforms[platform].Rootfs.Digest:
		return fmt.Errorf("System: %s: %w", strings.Join(s.System.Packages, ", "), lock.ErrOldSystem)
	}
	return nil
}

func (s Service) checkSource(bad func(format string, args ...any)) {
	for i, from := range s.Source {
		at := fmt.Sprintf("Source[%d]", i)
		if (from.From.dir == "") == (from.From.fsys == nil) {
			bad("%s.From: missing, such as variants.Dir(\"src\")", at)
		}
		if from.To != path.Clean(from.To) || !below(from.To, appDir) {
			bad("%s.To: %q is not /app or a path below it", at, from.To)
		}
	}
}

// system are directories that a service cannot have for its own: what is in them is
// the base's, or links and mounts.
var systemDirs = []string{
	"/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/opt/venv", "/proc", "/sbin", "/sys", "/tmp", "/usr", "/var/lock", "/var/run", "/var/tmp",
}

// parents are directories with more than one owner.
var parents = []string{"/", "/app", "/home", "/opt", "/root", "/run", "/srv", "/mnt", "/media", "/var", "/var/cache", "/var/lib", "/var/log", "/var/spool"}

func (s Service) checkWritable(bad func(format string, args ...any)) {
	for i, dir := range s.Writable {
		switch {
		case !path.IsAbs(dir) || dir != path.Clean(dir) || strings.ContainsAny(dir, ":\x00"):
			bad("Writable: %q is not a clean absolute path", dir)
		case slices.Contains(parents, dir) || slices.ContainsFunc(systemDirs, func(d string) bool { return below(dir, d) }):
			bad("Writable: %s is the system's", dir)
		case strings.HasPrefix(dir, "/home/nonroot/"):
			bad("Writable: %s: name the whole of /home/nonroot", dir)
		case slices.Contains(s.Writable[:i], dir):
			bad("Writable: %s: listed twice", dir)
		case slices.ContainsFunc(s.Source, func(from Source) bool { return below(from.To, dir) }):
			bad("Writable: %s has source in it, which nobody may change", dir)
		}
	}
}

func (s Service) checkPorts(bad func(format string, args ...any)) {
	ports := s.ports()
	for i, port := range ports {
		if port < 1 || port > 65535 {
			bad("Port: %d is not from 1 to 65535", port)
		}
		if slices.Contains(ports[:i], port) {
			bad("Port: %d: listed twice", port)
		}
	}
	if own, ok := s.Env["PORT"]; ok && s.Port != 0 && own != strconv.Itoa(s.Port) {
		bad("Env: PORT is %q, and Port is %d", own, s.Port)
	}
}
