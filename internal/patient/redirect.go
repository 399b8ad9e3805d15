package patient

import (
	"errors"
	"fmt"
	"net/http"
)

// maxRedirects is what net/http allows of itself; go-containerregistry's clients,
// which have a policy of their own, would follow for ever.
const maxRedirects = 10

// checkRedirected refuses a request that one redirect too many has led to, and one
// that would hand the credentials in its body to another host.
func checkRedirected(req *http.Request) error {
	hops, from := 0, req
	for ; from.Response != nil && from.Response.Request != nil; from = from.Response.Request {
		if hops++; hops >= maxRedirects {
			return impostor(fmt.Sprintf("stopped after %d redirects", maxRedirects))
		}
	}
	if from.URL.Host != req.URL.Host && req.Body != nil && req.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		return impostor(fmt.Sprintf("redirected from %s to %s, which must not have the credentials", from.URL.Host, req.URL.Host))
	}
	return nil
}

// checkRedirect refuses an answer that net/http would take for the wish to GET
// something instead, such as a page to log in: nothing is written by that.
func checkRedirect(req *http.Request, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
	default:
		return nil
	}
	to, err := resp.Location()
	if isRead(req) || err != nil {
		return nil
	}
	return impostor(fmt.Sprintf("redirected to a page (%s to %s)", resp.Status, to.Redacted()))
}

// ErrImpostor says that something else may have answered in a server's place.
var ErrImpostor = errors.New("something else may answer in the server's place")

// impostor is an ErrImpostor that says what was wrong with the answer.
type impostor string

func (e impostor) Error() string        { return string(e) }
func (e impostor) Is(target error) bool { return target == ErrImpostor }

// Origin returns the request that redirects have led to req from; without any, req
// itself.
func Origin(req *http.Request) *http.Request {
	for req.Response != nil && req.Response.Request != nil {
		req = req.Response.Request
	}
	return req
}
