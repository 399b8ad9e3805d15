package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// solveError is BuildKit's own error. It names a command line and an exit code,
// or what went wrong in other steps because of the one that failed.
type solveError struct {
	node *node
	conn *connection
	// forget drops what is known of its steps.
	forget func()
	error
}

// explain returns the cause of a failed build in one line. BuildKit passes on the
// errors of the client's own store as text, and a cancelled build names any step.
func (e *Engine) explain(ctx context.Context, d *display, err error) error {
	if interrupted := context.Cause(ctx); interrupted != nil {
		return interrupted
	}
	var solving solveError
	if !errors.As(err, &solving) {
		return err
	}
	if errors.Is(solving.error, ErrSilentCache) {
		return fmt.Errorf("%s: %w", solving.node.name, ErrSilentCache)
	}
	if errors.Is(solving.error, errSilentWrite) {
		return e.ofCache(errSilentWrite)
	}
	if failed := e.store.failed(); failed != nil {
		return failed
	}
	d.writers.Wait() // the last words may still be on their way
	d.failures.logDir = e.options.logDir()
	if failed := d.failures.err(); failed != nil {
		return e.ofCache(failed.on(solving.node))
	}
	return (&StepError{Reason: cause(oneLine(err.Error()))}).on(solving.node)
}

// on adds where the disk is full, unless that is here: caches in directories are written
// by this program.
func (e *StepError) on(n *node) *StepError {
	if !n.embedded && e.Is(syscall.ENOSPC) && !strings.HasPrefix(e.Step, writingCache) {
		e.FullNode = n.name
	}
	return e
}

// tail is how many bytes of a step's log are kept.
const tail = 8 << 10

// failures remembers the steps that failed and what they said last. Solves that
// share a step each hear of it.
type failures struct {
	mu     sync.Mutex
	failed []failure
	// forgotten are the solves that do not count.
	forgotten map[int]bool
	logs      map[stepKey][]byte
	full      map[stepKey]*stepLog
	// logDir is where the log of the step that failed goes; empty means nowhere.
	logDir string
}

type stepKey struct {
	solve int
	step  digest.Digest
}

type failure struct {
	*client.Vertex
	log stepKey
}

// importing begins the name of what BuildKit does with a cache to take steps from. A
// build goes on without.
const importing = "importing cache manifest from "

func (f *failures) note(solve int, s *client.SolveStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.divert(solve, s)
	for _, v := range s.Vertexes {
		if v.Error != "" && v.Completed != nil && !strings.HasPrefix(v.Name, importing) && !strings.HasSuffix(v.Error, context.Canceled.Error()) {
			f.failed = append(f.failed, failure{v, stepKey{solve, v.Digest}})
		}
	}
	for _, l := range s.Logs {
		if f.logs == nil {
			f.logs = map[stepKey][]byte{}
		}
		key := stepKey{solve, l.Vertex}
		log := append(f.logs[key], l.Data...)
		f.logs[key] = log[max(0, len(log)-tail):]
	}
}

// forget leaves a solve out of the account, also what is heard of it later.
func (f *failures) forget(solve int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.forgotten == nil {
		f.forgotten = map[int]bool{}
	}
	f.forgotten[solve] = true
}

var (
	execFailed = regexp.MustCompile(`(?s)process ".*" did not complete successfully: (.*)$`)
	exitCode   = regexp.MustCompile(`^exit code: \d+$`)
	startsWith = regexp.MustCompile(`(?i)^(error\b|×)`)
	// pythonCause is how Python writes an error of the system. pip has it in its
	// warnings and not in its last words.
	pythonCause = regexp.MustCompile(`\[Errno -?\d+\] [^'")\]\n]+`)
)

// err returns the step that failed first, and why.
func (f *failures) err() *StepError {
	f.mu.Lock()
	defer f.mu.Unlock()
	counting := slices.DeleteFunc(slices.Clone(f.failed), func(v failure) bool { return f.forgotten[v.log.solve] })
	if len(counting) == 0 {
		return nil
	}
	first := slices.MinFunc(counting, func(a, b failure) int { return a.Completed.Compare(*b.Completed) })
	reason := first.Error
	if m := execFailed.FindStringSubmatch(reason); m != nil {
		reason = m[1]
	}
	if words := lastWords(string(f.logs[first.log])); words != "" && exitCode.MatchString(reason) {
		reason = words
	}
	return &StepError{Step: first.Name, Reason: cause(oneLine(reason)), log: f.writeLog(first)}
}

// lastWords are what a program said from its first error on, or else its last
// line.
func lastWords(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if line = oneLine(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	start := slices.IndexFunc(lines, startsWith.MatchString)
	if start < 0 || slices.ContainsFunc(lines, isTraceback) { // Python's last line is the error
		start = len(lines) - 1
	}
	words := strings.Join(lines[start:], "; ")
	if why := pythonCause.FindString(log); why != "" && !strings.Contains(words, why) {
		words += " (" + why + ")"
	}
	return words
}

var failedTo = regexp.MustCompile(`^(failed to [^:]*: |error writing [^:]*: |rpc error: code = \w+ desc = )+`)

// cause drops what BuildKit puts before it.
func cause(text string) string { return failedTo.ReplaceAllString(text, "") }

func isTraceback(line string) bool { return strings.HasPrefix(line, "Traceback (") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
