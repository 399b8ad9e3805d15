package variants

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Health is how a container of a service is found to work: one of Path, TCP and
// Command. It becomes the image's health check, which needs no shell: an interpreter
// that imports next to nothing asks the port that the variable PORT names.
type Health struct {
	// Path is asked for over HTTP, such as "/health"; an answer of 2xx or 3xx is well.
	Path string
	// TCP asks for a connection alone.
	TCP bool
	// Command is a program in words, which ends with 0 when all is well.
	Command []string
	// Interval is the time between two checks; zero means Docker's default, 30 s.
	Interval time.Duration
	// Timeout is how long a check may take; zero means 10 s.
	Timeout time.Duration
	// StartPeriod is how long after the start failures do not count.
	StartPeriod time.Duration
	// Retries is after how many failures the container is unhealthy; zero means
	// Docker's default, 3.
	Retries int
}

//go:embed health.py
var healthScript string

const healthTimeout = 10 * time.Second

// config returns the check in the form that Docker reads, nil for none.
func (h Health) config(t stage.Target) *dockerspec.HealthcheckConfig {
	if h.checks() == 0 {
		return nil
	}
	timeout := h.Timeout
	if timeout == 0 {
		timeout = healthTimeout
	}
	test := h.Command
	if len(test) == 0 {
		// A little less than after which Docker kills it, so that it says why.
		limit := strconv.FormatFloat(timeout.Seconds()*0.9, 'f', -1, 64)
		test = []string{t.Prefix + "/bin/" + lock.PythonName, "-I", "-S", "-B", "-c", healthScript, h.Path, limit}
	}
	return &dockerspec.HealthcheckConfig{
		Test:     append([]string{"CMD"}, test...),
		Interval: h.Interval, Timeout: timeout, StartPeriod: h.StartPeriod, Retries: h.Retries,
	}
}

// checks is how many of the fields that say what is checked are set.
func (h Health) checks() int {
	n := 0
	for _, set := range []bool{h.Path != "", h.TCP, len(h.Command) > 0} {
		if set {
			n++
		}
	}
	return n
}

// check reports every wrong field.
func (h Health) check(port int, report func(format string, args ...any)) {
	bad := func(text string) { report("Health: %s", text) }
	if h.checks() > 1 {
		bad("more than one of Path, TCP and Command")
	}
	if (h.Path != "" || h.TCP) && port == 0 {
		bad("Path and TCP need a Port")
	}
	if h.Path != "" && (h.Path[0] != '/' || strings.ContainsFunc(h.Path, func(r rune) bool { return r <= ' ' || r > '~' })) {
		bad("Path " + strconv.Quote(h.Path) + " is not the path of a URL")
	}
	for _, d := range []struct {
		field string
		time.Duration
	}{{"Interval", h.Interval}, {"Timeout", h.Timeout}, {"StartPeriod", h.StartPeriod}} {
		if d.Duration < 0 || d.Duration > 0 && d.Duration < time.Millisecond {
			bad(d.field + " " + d.String() + " is less than 1ms, the least that Docker takes")
		}
	}
	if h.Retries < 0 {
		bad("Retries is negative")
	}
	if h.checks() == 0 && (h.Interval != 0 || h.Timeout != 0 || h.StartPeriod != 0 || h.Retries != 0) {
		bad("nothing is checked: none of Path, TCP and Command")
	}
}
