package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// suites are those of an archive whose index every build of a lock asks for.
var suites = map[string]string{"debian": "bookworm", "debian-security": "bookworm-security"}

// answer is what a server said to one request.
type answer struct {
	archive, base string
	date          time.Time // zero where it said none
	err           error
}

// ask asks every mirror for an index, once for all checks.
func (m *Machine) ask(ctx context.Context) []answer {
	m.once.Do(func() {
		for _, archive := range slices.Sorted(maps.Keys(m.Mirrors)) {
			for _, base := range m.Mirrors[archive] {
				m.answers = append(m.answers, answer{archive: archive, base: base})
			}
		}
		var wait sync.WaitGroup
		for i := range m.answers {
			a := &m.answers[i]
			wait.Go(func() { a.date, a.err = m.head(ctx, a.base+"/dists/"+suites[a.archive]+"/InRelease") })
		}
		wait.Wait()
	})
	return m.answers
}

// head makes one request and returns the server's time.
func (m *Machine) head(ctx context.Context, address string) (time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return time.Time{}, err
	}
	client := http.Client{Transport: m.Transport}
	resp, err := client.Do(req)
	var wrapped *url.Error
	if errors.As(err, &wrapped) { // its text has the address, which may have a password
		err = wrapped.Err
	}
	if ctx.Err() != nil {
		err = errors.New(noAnswer)
	}
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	date, _ := http.ParseTime(resp.Header.Get("Date")) // or the zero time
	if resp.StatusCode >= http.StatusBadRequest {
		return date, statusError(resp.StatusCode)
	}
	return date, nil
}

// statusError is an answer that is no success.
type statusError int

// Error says it in HTTP's words.
func (s statusError) Error() string { return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))) }

func (m *Machine) mirrors(ctx context.Context) Finding {
	if m.TrustError != nil {
		return note("not asked: see trust", "")
	}
	failed, working := map[string][]string{}, map[string]bool{}
	var last error
	for _, a := range m.ask(ctx) {
		if a.err == nil {
			working[a.archive] = true
			continue
		}
		failed[a.archive] = append(failed[a.archive], redact(a.base)+": "+oneLine(a.err.Error()))
		last = a.err
	}
	var broken, slow []string
	for _, archive := range slices.Sorted(maps.Keys(suites)) {
		switch {
		case len(m.Mirrors[archive]) == 0:
			slow = append(slow, "no mirror of "+archive+" is named: Debian's snapshot archive has it, slowly")
		case !working[archive]:
			broken = append(broken, failed[archive]...)
		default:
			slow = append(slow, failed[archive]...)
		}
	}
	switch {
	case len(broken) > 0:
		return bad(strings.Join(broken, "; "), adviceFor(last, "check the network and the proxy variables, or name other mirrors with --debian-mirror and --debian-security-mirror"))
	case len(slow) > 0:
		return note(strings.Join(slow, "; "), "name one with --debian-mirror and --debian-security-mirror")
	}
	return ok(fmt.Sprintf("all %d answer", len(m.answers)))
}

func (m *Machine) index(ctx context.Context) Finding {
	if len(m.Indexes) == 0 {
		return ok("uv's own: UV_DEFAULT_INDEX and PIP_INDEX_URL are not set")
	}
	if m.TrustError != nil {
		return note("not asked: see trust", "")
	}
	for _, address := range m.Indexes {
		_, err := m.head(ctx, address)
		var answer statusError
		if errors.As(err, &answer) && answer < http.StatusInternalServerError {
			continue // a login, or another kind of request, is uv's to make
		}
		if err != nil {
			return bad(redact(address)+": "+oneLine(err.Error()), adviceFor(err, "check UV_DEFAULT_INDEX or PIP_INDEX_URL, its credentials in ~/.netrc, the network and the proxy variables"))
		}
	}
	return ok(redact(m.Indexes[0]) + " answers")
}

// wrongClock is by how much a clock may be wrong: signatures and certificates are of
// minutes to days.
const wrongClock = 5 * time.Minute

func (m *Machine) clock(ctx context.Context) Finding {
	for _, a := range m.ask(ctx) {
		if a.date.IsZero() {
			continue
		}
		off := m.Now().Sub(a.date).Round(time.Second)
		if off.Abs() <= wrongClock {
			return ok("as the mirrors' is")
		}
		return bad(fmt.Sprintf("%s: off by %s from what %s says", m.Now().UTC().Format(time.RFC3339), off, redact(a.base)),
			"set it: certificates and signatures are valid for a time")
	}
	return note(m.Now().UTC().Format(time.RFC3339)+": no mirror answers to compare it with", "see mirrors")
}

// adviceFor is what to do about a request that failed.
func adviceFor(err error, otherwise string) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "check this machine's clock, then the server's certificate"
	case errors.As(err, &unknown):
		return "trust the authority of your company's proxy with --ca-bundle or SSL_CERT_FILE"
	}
	return otherwise
}

// redact hides a password in an address.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}

func (m *Machine) trust(context.Context) Finding {
	if m.TrustError != nil {
		return bad(oneLine(m.TrustError.Error()), "check --ca-bundle and SSL_CERT_FILE")
	}
	return ok("certificates can be read")
}
