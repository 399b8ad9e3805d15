package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/patient"
)

const (
	tries      = 4
	firstPause = 200 * time.Millisecond // three times as long after each try
)

// retry calls fn until it works, or fails for good. A registry that falls silent
// is tried once more and not three times: that alone takes its time.
func retry(ctx context.Context, wait patient.Waiter, fn func() error) error {
	pause := firstPause
	silences := 0
	for try := 1; ; try++ {
		err := fn()
		var silent *patient.SilenceError
		if errors.As(err, &silent) {
			silences++
		}
		if err == nil || try == tries || silences == 2 || !temporary(err) || ctx.Err() != nil {
			return err
		}
		if err := wait(ctx, pause, ""); err != nil {
			return err
		}
		pause *= 3
	}
}

// temporary reports whether the next time may be another.
func temporary(err error) bool {
	var busy *patient.BusyError
	var silent *patient.SilenceError
	var missing *missingError
	var answer *transport.Error
	switch {
	case errors.As(err, &busy):
		return false // it was waited for
	case errors.As(err, &silent):
		return !silent.Repeated
	case errors.As(err, &missing):
		return true // registries that are many machines need a moment
	case errors.As(err, &answer):
		return answer.Temporary() || answer.StatusCode >= http.StatusInternalServerError || uploadIsGone(answer)
	}
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return true
		}
	}
	// The errors of net/http's HTTP/2 have no names: streams and connections that
	// the other side resets.
	text := err.Error()
	return strings.Contains(text, "stream error: ") || strings.Contains(text, "http2: ")
}

// uploadIsGone reports whether a registry knows nothing of the upload that it has
// begun, or of a part: another upload may go better.
func uploadIsGone(answer *transport.Error) bool {
	if answer.Request == nil || answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		return false
	}
	return answer.Request.Method == http.MethodPatch || answer.Request.Method == http.MethodPut && answer.Request.URL.Query().Has("digest")
}

// oneLine shows an error as one line, with the request's method, and its address
// if that does not follow from what is pushed.
type oneLine struct{ err error }

func (e oneLine) Error() string {
	var answer *transport.Error
	var request *url.Error
	var busy *patient.BusyError
	text := strings.Join(strings.Fields(e.err.Error()), " ")
	method, where := "", (*url.URL)(nil)
	// Of several errors, joined, the first does not say all.
	if errors.As(e.err, &request) && strings.HasSuffix(e.err.Error(), request.Error()) {
		method = strings.ToUpper(request.Op)
		where, _ = url.Parse(request.URL)
		text = strings.TrimSuffix(e.err.Error(), request.Error()) + request.Err.Error()
	}
	if errors.As(e.err, &answer) {
		text = answerText(answer)
		if answer.Request != nil {
			method, where = answer.Request.Method, answer.Request.URL
		}
	}
	if errors.As(e.err, &busy) {
		text = fmt.Sprintf("%s (it asks to wait %s more, after %s)", text, busy.Asked, busy.Waited)
	}
	return strings.Join(strings.Fields(requestName(method, where)+text), " ")
}

// answerText is the status of an answer and what the registry says to it.
func answerText(answer *transport.Error) string {
	text := fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	if answer.StatusCode < http.StatusBadRequest {
		text += ", which is no answer to that"
	}
	for _, d := range answer.Errors {
		text += ": " + d.String()
	}
	return text
}

// requestName is what an error begins with.
func requestName(method string, where *url.URL) string {
	switch {
	case method == "" || where == nil:
		return ""
	case strings.HasPrefix(where.Path, "/v2/") && where.Path != "/v2/":
		return method + ": "
	}
	where = &url.URL{Scheme: where.Scheme, Host: where.Host, Path: where.Path} // the rest may be secret
	return fmt.Sprintf("%s %s: ", method, where)
}

func (e oneLine) Unwrap() error { return e.err }
