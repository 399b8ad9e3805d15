package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"

	"github.com/moby/buildkit/client"
)

// A step that has more to say of its failure than people want to read, such as
// all that a compiler wrote, puts it between these bytes: it is kept in a file.
const (
	logBegin = 0x1e
	logEnd   = 0x1f
)

// maxStepLog limits what is kept of a step's log, in bytes. An engine passes on
// less.
const maxStepLog = 8 << 20

// stepLog is what a step has said for a file.
type stepLog struct {
	open bool
	data []byte
}

// divert keeps what stands between the marks, and returns the rest.
func (s *stepLog) divert(data []byte) (rest []byte) {
	for len(data) > 0 {
		mark := byte(logBegin)
		if s.open {
			mark = logEnd
		}
		part, after, found := bytes.Cut(data, []byte{mark})
		if s.open {
			s.data = append(s.data, part[:min(len(part), maxStepLog-len(s.data))]...)
		} else {
			rest = append(rest, part...)
		}
		s.open, data = s.open != found, after
	}
	return rest
}

// divert takes out of a status what its steps say for a file.
func (f *failures) divert(solve int, s *client.SolveStatus) {
	var shown []*client.VertexLog
	for _, l := range s.Logs {
		key := stepKey{solve, l.Vertex}
		full := f.full[key]
		if full == nil && bytes.IndexByte(l.Data, logBegin) < 0 {
			shown = append(shown, l)
			continue
		}
		if full == nil {
			full = &stepLog{}
			if f.full == nil {
				f.full = map[stepKey]*stepLog{}
			}
			f.full[key] = full
		}
		if l.Data = full.divert(l.Data); len(l.Data) > 0 {
			shown = append(shown, l)
		}
	}
	s.Logs = shown
}

var notInFileName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// writeLog writes a step's log and returns how an error names it. If that fails, the
// step's own error stays as it is.
func (f *failures) writeLog(first failure) string {
	full := f.full[first.log]
	if full == nil || f.logDir == "" {
		return ""
	}
	path := filepath.Join(f.logDir, notInFileName.ReplaceAllString(first.Name, "-")+".log")
	err := os.MkdirAll(f.logDir, 0o755)
	if err == nil {
		err = os.WriteFile(path, full.data, 0o644)
	}
	if err != nil {
		return " (no log: " + err.Error() + ")"
	}
	return " (log: " + path + ")"
}
