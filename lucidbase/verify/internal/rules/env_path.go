package rules

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var envPathRule = Rule{
	Name:    "env-path",
	Summary: "files and directories that the environment names are there and can be read",
	Why:     "the program that reads the variable fails, or goes on without: TLS without certificates",
	Fix:     "add the file, or correct the variable",
	Check:   checkEnvPath,
}

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

func checkEnvPath(im *overlay.Image) []overlay.Hit {
	id := im.User()
	var hits []overlay.Hit
	for _, kv := range im.Config.Config.Env {
		name, value, _ := strings.Cut(kv, "=")
		field := "config:Env." + name
		add := func(found string) {
			if found != "" {
				hits = append(hits, overlay.Hit{Path: field, Layer: -1, Found: found})
			}
		}
		files, isFile := envFiles[name]
		dirs, isDir := envDirs[name]
		switch {
		case value == "" || strings.Contains(value, "$"):
		case isFile:
			for _, p := range list(value, files) {
				add(envFile(im, id, name, p))
			}
		case isDir:
			for _, p := range list(value, dirs) {
				add(envDir(im, id, p))
			}
		case name == "PATH":
			add(envPath(im))
		case envOther.MatchString(name) && isFixed(value) && !im.IsMounted(value) && !im.Exists(value):
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

func envFile(im *overlay.Image, id overlay.Identity, name, p string) string {
	if name == "LD_PRELOAD" && !strings.Contains(p, "/") {
		return "" // looked for in the loader's directories
	}
	p = im.Absolute(p)
	at, n := im.Follow(p)
	switch {
	case im.IsMounted(p):
		return ""
	case n == nil:
		return p + " is not in the image"
	case name != "REQUESTS_CA_BUNDLE" && (n.Entry == nil || n.Entry.Kind == scan.Directory):
		return p + " is a directory, not a file"
	case !im.May(id, at, overlay.MayRead):
		return fmt.Sprintf("%s may not be read by %d:%d: %s", p, id.Uid, id.Gid, im.Barrier(id, at))
	}
	return ""
}

func envDir(im *overlay.Image, id overlay.Identity, p string) string {
	p = im.Absolute(p)
	at, n := im.Follow(p)
	switch {
	case im.IsMounted(p):
		return ""
	case n == nil:
		return p + " is not in the image"
	case n.Entry != nil && n.Entry.Kind != scan.Directory:
		if path.Ext(at) == ".zip" || path.Ext(at) == ".pyz" || path.Ext(at) == ".egg" {
			return "" // Python imports from archives
		}
		return p + " is a file, not a directory"
	case !im.May(id, at, overlay.MaySearch):
		return fmt.Sprintf("%s may not be entered by %d:%d: %s", p, id.Uid, id.Gid, im.Barrier(id, at))
	}
	return ""
}

// envPath wants one directory of PATH: more are named than there are by habit.
func envPath(im *overlay.Image) string {
	for _, dir := range im.SearchPath() {
		if im.Exists(dir) {
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
