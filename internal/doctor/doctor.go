// Package doctor looks at a machine and says what of it builds need is missing, and what
// to do. It changes nothing.
package doctor

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"
)

// Status says how bad a Finding is.
type Status string

// The statuses.
const (
	OK Status = "ok"
	// Note is for what not every build needs.
	Note Status = "note"
	Bad  Status = "bad"
)

// Finding is what a check found.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	// Found is one line.
	Found string `json:"found"`
	// Advice says what to do; empty for OK.
	Advice string `json:"advice,omitempty"`
}

// Machine is what is looked at: this machine, and the settings of builds on it.
type Machine struct {
	// Version is this program's.
	Version string
	// CacheDir need not exist.
	CacheDir string
	// Engine connects to what would build, and says what that is and why, and what of
	// several does not answer. Embedded says that the BuildKit in this program is among it.
	Engine   func(ctx context.Context) (found, without string, err error)
	Embedded bool
	// Hint returns what to do about an error, or nothing; nil knows nothing.
	Hint func(err error) string
	// Mirrors are Debian's archives with the base URLs of their mirrors.
	Mirrors map[string][]string
	// Indexes are the addresses of Python's index; none for uv's own.
	Indexes []string
	// Transport reaches servers, or TrustError is why their certificates cannot be
	// checked.
	Transport  http.RoundTripper
	TrustError error
	// Registry is where images are pushed, and Push asks whether this user may; nil where
	// none is named.
	Registry string
	Push     func(ctx context.Context) error
	// Now is the machine's clock.
	Now func() time.Time

	once     sync.Once
	answers  []answer      // of the mirrors
	patience time.Duration // usualPatience unless a test says otherwise
}

// check looks at one thing.
type check struct {
	name string
	look func(m *Machine, ctx context.Context) Finding
}

// usualPatience is how long a check may take; after twice the time it is not waited for.
const usualPatience = 4 * time.Second

// Look runs all checks at once and returns their findings, always in one order.
func (m *Machine) Look(ctx context.Context) []Finding {
	return m.look(ctx, checks())
}

func checks() []check {
	return append(append([]check{
		{"version", (*Machine).version},
		{"engine", (*Machine).engine},
	}, systemChecks()...),
		check{"disk", (*Machine).disk},
		check{"trust", (*Machine).trust},
		check{"mirrors", (*Machine).mirrors},
		check{"index", (*Machine).index},
		check{"clock", (*Machine).clock},
		check{"registry", (*Machine).registry},
		check{"docker", (*Machine).docker},
	)
}

func (m *Machine) look(ctx context.Context, all []check) []Finding {
	patience := cmp.Or(m.patience, usualPatience)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	results := make([]chan Finding, len(all))
	for i, c := range all {
		results[i] = make(chan Finding, 1)
		go func() { results[i] <- c.look(m, ctx) }()
	}
	late, stop := context.WithTimeout(context.Background(), 2*patience)
	defer stop()
	findings := make([]Finding, len(all))
	for i, c := range all {
		findings[i] = wait(late, results[i])
		findings[i].Check = c.name
	}
	return findings
}

// wait returns a result, unless it is too late and there is none.
func wait(late context.Context, result <-chan Finding) Finding {
	select {
	case f := <-result:
		return f
	case <-late.Done():
	}
	select {
	case f := <-result:
		return f
	default:
		return bad(noAnswer, "see what it waits for")
	}
}

// noAnswer is what a check says of what it has waited for.
const noAnswer = "no answer in time"

func ok(found string) Finding           { return Finding{Status: OK, Found: found} }
func note(found, advice string) Finding { return Finding{Status: Note, Found: found, Advice: advice} }
func bad(found, advice string) Finding  { return Finding{Status: Bad, Found: found, Advice: advice} }
