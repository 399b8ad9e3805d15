package scan

import (
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

// keep is a sink that holds a file until its end, for a parser. One that is too
// large is not parsed: that is a Problem.
type keep struct {
	limit int
	parse func(f *File, data []byte) error
	// name is what the file is, for the Problem.
	name string
	data []byte
	over bool
}

func (k *keep) write(p []byte) error {
	if len(k.data)+len(p) > k.limit {
		k.over = true
		p = p[:k.limit-len(k.data)]
	}
	k.data = append(k.data, p...)
	return nil
}

func (k *keep) finish(f *File) error {
	var err error
	if k.over {
		err = fmt.Errorf("more than %d bytes", k.limit)
	} else {
		err = k.parse(f, k.data)
	}
	if err != nil {
		f.Problem = k.name + ": " + err.Error()
	}
	return nil
}

// keptFile returns the sink of a file that rules read, by its name; nil for others.
func keptFile(p string, s *scanner) sink {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	l := s.limits
	switch {
	case strings.HasSuffix(dir, ".dist-info") && name == "METADATA":
		return &keep{limit: l.metadata, name: name, parse: keepMetadata}
	case strings.HasSuffix(dir, ".egg-info") && name == "PKG-INFO", strings.HasSuffix(name, ".egg-info"):
		return &keep{limit: l.metadata, name: "PKG-INFO", parse: keepMetadata}
	case strings.HasSuffix(dir, ".dist-info") && name == "RECORD":
		return &keep{limit: l.record, name: name, parse: s.keepRecord}
	case strings.HasSuffix(dir, ".dist-info") && name == "WHEEL":
		return &keep{limit: l.text, name: name, parse: keepWheel}
	case strings.HasSuffix(p, "/var/lib/dpkg/status"),
		strings.HasSuffix(dir, "/var/lib/dpkg/status.d") && !strings.HasSuffix(name, ".md5sums"):
		return &keep{limit: l.database, name: "dpkg status", parse: parseDpkg}
	case strings.HasSuffix(p, "/lib/apk/db/installed"):
		return &keep{limit: l.database, name: "apk database", parse: parseApk}
	case p == "/etc/shadow" || p == "/etc/gshadow":
		return &keep{limit: l.text, name: name, parse: parseShadow}
	case isText(dir, name):
		return &keep{limit: l.text, name: name, parse: keepText}
	}
	return nil
}

// isText reports whether rules read the Text of a file.
func isText(dir, name string) bool {
	switch name {
	case "pyvenv.cfg", "ld.so.conf", "os-release", "direct_url.json", "INSTALLER":
		return true
	case "passwd", "group":
		return dir == "/etc"
	}
	switch path.Ext(name) {
	case ".error": // the compiler's, where a module of a service has no bytecode
		return path.Base(dir) == "__pycache__"
	case ".py":
		return python.IsFinder(name) && python.IsModuleDir(path.Base(dir))
	case ".pth", ".egg-link":
		return strings.HasSuffix(dir, "/site-packages") || strings.HasSuffix(dir, "/dist-packages")
	case ".conf":
		return dir == "/etc/ld.so.conf.d"
	case ".path":
		return dir == "/etc" && strings.HasPrefix(name, "ld-musl-")
	}
	return false
}

// parseShadow looks for hashes of passwords, which it does not keep (shadow(5),
// crypt(5)).
func parseShadow(f *File, data []byte) error {
	line := 0
	for l := range strings.Lines(string(data)) {
		line++
		if fields := strings.Split(l, ":"); len(fields) > 1 && len(fields[1]) >= 13 && !strings.ContainsAny(fields[1][:1], "!*") {
			f.Secrets = append(f.Secrets, secrets.Secret{Kind: "hash of a password", Line: line})
		}
	}
	return nil
}

func keepText(f *File, data []byte) error {
	f.Text = printable.Valid(string(data))
	return nil
}
