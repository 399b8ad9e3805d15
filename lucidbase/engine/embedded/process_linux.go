package embedded

import (
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/log"
	"github.com/moby/buildkit/util/bklog"
	"github.com/sirupsen/logrus"
)

// What BuildKit shares with its whole process: the log.

// ownLog sets a logger of its own for BuildKit and leaves logrus's standard one to
// the program. It is called before anything runs: BuildKit's goroutines read
// these variables at any time.
func ownLog() {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.WarnLevel)
	logger.AddHook(warnings)
	bklog.L = logrus.NewEntry(logger)
	log.L = bklog.L
}

var warnings = &warningHook{}

// warningHook passes on BuildKit's warnings.
type warningHook struct {
	mu   sync.Mutex
	warn func(string) // nil until somebody can read them
}

func (h *warningHook) passTo(warn func(string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.warn = warn
}

// Levels are those that someone should read. BuildKit logs a failed or cancelled
// step as an error; its caller gets that error anyway.
func (h *warningHook) Levels() []logrus.Level { return []logrus.Level{logrus.WarnLevel} }

// noise are warnings that nobody can act on.
var noise = []string{
	"failed check for fsverity support",
	"no trace recorder found",
	"buildkit-qemu-",
	"git source cannot be enabled", // a graph that has one fails, and says so
	"failed to read oom_kill event",
	" to exit", // slowly, a step beside one that failed
}

// Fire passes one warning on.
func (h *warningHook) Fire(e *logrus.Entry) error {
	line := strings.Join(strings.Fields(e.Message), " ")
	if err, ok := e.Data[logrus.ErrorKey].(error); ok {
		line += ": " + err.Error()
	}
	if slices.ContainsFunc(noise, func(n string) bool { return strings.Contains(line, n) }) {
		return nil
	}
	h.mu.Lock()
	warn := h.warn
	h.mu.Unlock()
	if warn != nil {
		warn("BuildKit: " + line)
	}
	return nil
}
