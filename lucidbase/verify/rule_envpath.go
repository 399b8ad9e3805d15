package verify

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// envFiles and envDirs are variables that programs read as a path at start; those
// whose value is a list say so by their separator.
var (
	envFiles = map[string]string{
		"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "NODE_EXTRA_CA_CERTS": "", "GIT_SSL_CAINFO": "", "AWS_CA_BUNDLE": "",
		"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": "", "PIP_CERT": "", "OPENSSL_CONF": "", "PYTHONSTARTUP": "", "LD_PRELOAD": ": ",
	}
	envDirs = map[string]string{
		"SSL_CERT_DIR": ":", "PYTHONHOME": ":", "VIRTUAL_ENV": "", "TZDIR": "", "GCONV_PATH": ":", "LOCPATH": ":", "JAVA_HOME": "", "PYTHONPATH": ":",
	}
	// envOther are the endings of other variables that name a file that is read; they
	// count where only an image, no mount and no process, puts files.
	envOther = regexp.MustCompile(`(?i)(^|_)(FILE|BUNDLE|CERT|CONF|CONFIG|BIN|EXECUTABLE|INTERPRETER|LIBRARY|CA|CAFILE|SCRIPT)(_PATH)?$`)
)

func checkEnvPath(im *image) []hit {
	id := im.whoami()
	var hits []hit
	for _, kv := range im.config.Config.Env {
		name, value, _ := strings.Cut(kv, "=")
		field := "config:Env." + name
		add := func(found string) {
			if found != "" {
				hits = append(hits, hit{path: field, layer: -1, found: found})
			}
		}
		files, isFile := envFiles[name]
		dirs, isDir := envDirs[name]
		switch {
		case value == "" || strings.Contains(value, "$"):
		case isFile:
			for _, p := range list(value, files) {
				add(im.envFile(id, name, p))
			}
		case isDir:
			for _, p := range list(value, dirs) {
				add(im.envDir(id, p))
			}
		case name == "PATH":
			add(im.envPath())
		case envOther.MatchString(name) && isFixed(value) && !im.isMounted(value) && !im.exists(value):
			add(value + " is not in the image")
		}
	}
	return hits
}

// list splits a value at any of the separators; none means that it is one path.
func list(value, separators string) []string {
	if separators == "" {
		return []string{value}
	}
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(separators, r) })
}

func (im *image) envFile(id identity, name, p string) string {
	if name == "LD_PRELOAD" && !strings.Contains(p, "/") {
		return "" // looked for in the loader's directories
	}
	p = im.absolute(p)
	at, n := im.follow(p)
	switch {
	case im.isMounted(p):
		return ""
	case n == nil:
		return p + " is not in the image"
	case name != "REQUESTS_CA_BUNDLE" && (n.entry == nil || n.entry.Kind == Directory):
		return p + " is a directory, not a file"
	case !im.may(id, at, mayRead):
		return fmt.Sprintf("%s may not be read by %d:%d: %s", p, id.uid, id.gid, im.barrier(id, at))
	}
	return ""
}

func (im *image) envDir(id identity, p string) string {
	p = im.absolute(p)
	at, n := im.follow(p)
	switch {
	case im.isMounted(p):
		return ""
	case n == nil:
		return p + " is not in the image"
	case n.entry != nil && n.entry.Kind != Directory:
		if path.Ext(at) == ".zip" || path.Ext(at) == ".pyz" || path.Ext(at) == ".egg" {
			return "" // Python imports from archives
		}
		return p + " is a file, not a directory"
	case !im.may(id, at, maySearch):
		return fmt.Sprintf("%s may not be entered by %d:%d: %s", p, id.uid, id.gid, im.barrier(id, at))
	}
	return ""
}

// envPath wants one directory of PATH: more are named than there are by habit.
func (im *image) envPath() string {
	for _, dir := range im.searchPath() {
		if im.exists(dir) {
			return ""
		}
	}
	return "no directory of PATH is in the image"
}

func isFixed(p string) bool {
	for _, dir := range []string{"/usr/", "/opt/", "/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(p, dir) && !strings.ContainsAny(p, " :,;") {
			return true
		}
	}
	return false
}

func checkWorkdir(im *image) []hit {
	const field = "config:WorkingDir"
	dir := im.config.Config.WorkingDir
	if dir == "" {
		return nil // the root
	}
	if !path.IsAbs(dir) {
		return atConfig(field, dir+" is relative")
	}
	id := im.whoami()
	at, n := im.follow(dir)
	switch {
	case n == nil:
		return atConfig(field, dir+" is not in the image")
	case n.entry != nil && n.entry.Kind != Directory:
		return atConfig(field, dir+" is a file, not a directory")
	case !im.may(id, at, maySearch):
		return atConfig(field, fmt.Sprintf("%s may not be entered by %d:%d: %s", dir, id.uid, id.gid, im.barrier(id, at)))
	}
	return nil
}
