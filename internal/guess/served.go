package guess

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// starters match the files beside the source that say how it is started.
var starters = []string{"Procfile", "Dockerfile", "*.sh", "compose.y*ml", "docker-compose.y*ml"}

var (
	server    = regexp.MustCompile(`(?m)^[^#\n]*\b(?:gunicorn|uvicorn|hypercorn)\b([^\n]*)`)
	reference = regexp.MustCompile(`(?:^|[\s"'])([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(\))?(?:$|[\s"',])`)
	bound     = regexp.MustCompile(`(?:--port["', =]+|(?:-b|--bind)["', =]+[\w.\[\]]*:)(\d{2,5})\b`)
)

// served returns the application that one of the starters has a server import, and the
// starter; that is empty where none has one of the source.
func served(fsys fs.FS, files []source) (a application, starter string) {
	eachServer(fsys, func(name, line string) bool {
		for _, m := range reference.FindAllStringSubmatch(line, -1) {
			if i := slices.IndexFunc(files, func(f source) bool { return module(f.name) == m[1] }); i >= 0 {
				a, starter = application{files[i].name, m[2], m[3] != "" || strings.Contains(line, "--factory")}, name
				return true
			}
		}
		return false
	})
	return a, starter
}

// servedPort returns the port that one of the starters has a server listen on, and the
// starter.
func servedPort(fsys fs.FS) (port int, starter string) {
	eachServer(fsys, func(name, line string) bool {
		port, starter = number(bound.FindStringSubmatch(line)), name
		return port != 0
	})
	return port, starter
}

// eachServer calls found with what follows the name of a server in the starters, until it
// returns true.
func eachServer(fsys fs.FS, found func(starter, line string) bool) {
	eachStarter(fsys, func(name, text string) bool {
		return slices.ContainsFunc(server.FindAllStringSubmatch(text, -1), func(line []string) bool { return found(name, line[1]) })
	})
}

// eachStarter calls found with each starter, until it returns true.
func eachStarter(fsys fs.FS, found func(name, text string) bool) {
	for _, pattern := range starters {
		names, _ := fs.Glob(fsys, pattern) // the pattern is well-formed
		for _, name := range names {
			text, err := read(fsys, name)
			if err == nil && found(name, strings.ReplaceAll(text, "\\\n", " ")) { // the others say enough
				return
			}
		}
	}
}

// interpreter matches a line that starts Python with a file or a module.
var interpreter = regexp.MustCompile(`(?m)^(?:[^#\n]*[\s"'])?python3?(?:\.\d+)?["',\s]+(?:-u["',\s]+)?(-m["',\s]+)?(?:\./)?([\w./]+)`)

// started returns the index of the module that one of the starters runs, the last of them
// as others prepare for it, or -1.
func started(fsys fs.FS, files []source) int {
	found := -1
	eachStarter(fsys, func(_, text string) bool {
		for _, m := range interpreter.FindAllStringSubmatch(text, -1) {
			name := m[2]
			if m[1] == "" {
				name = module(name)
			}
			if strings.HasPrefix(m[0], "RUN ") || strings.HasPrefix(m[0], "HEALTHCHECK ") {
				continue
			}
			if i := slices.IndexFunc(files, func(f source) bool { return strings.TrimSuffix(module(f.name), ".__main__") == name }); i >= 0 {
				found = i
			}
		}
		return found >= 0
	})
	return found
}

// calls matches a call at a module's top level.
var calls = regexp.MustCompile(`(?m)^(?:await )?[A-Za-z_][\w.]*\(`)

// notImported returns the index of the module beside the list that calls something and
// that no other imports, if there is one and no more, or -1.
func notImported(files []source) int {
	found := -1
	for i, f := range files {
		if strings.Contains(f.name, "/") || !calls.MatchString(f.text) {
			continue
		}
		imports := regexp.MustCompile(`(?m)^\s*(?:from|import)\s+` + regexp.QuoteMeta(module(f.name)) + `\b`)
		if slices.ContainsFunc(files, func(other source) bool { return imports.MatchString(other.text) }) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// written matches what opens a file to write it, with its path where that is a word.
var written = regexp.MustCompile(`["']sqlite(?:\+\w+)?:///([^"']*)|\bsqlite3\.connect\(\s*["']([^"']+)|\bdjango\.db\.backends\.(sqlite3)["']|\bFileHandler\(\s*["']([^"']+)`)

// writes says what the program writes that an image has not made writable.
func (p *Project) writes(files []source) {
	for _, f := range files {
		for _, m := range written.FindAllStringSubmatch(f.text, -1) {
			to := strings.Join(m[1:], "")
			if strings.HasPrefix(to, ":memory:") || strings.HasPrefix(to, "/tmp/") {
				continue
			}
			p.note("to do: %s writes a file (%s), and all but /tmp is read-only: have it in a directory of its own, such as /app/data, and add writable: [/app/data]", f.name, strings.Trim(m[0], `"'`))
			return
		}
	}
}
