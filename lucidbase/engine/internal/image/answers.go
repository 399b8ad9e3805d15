package image

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/patient"
)

// answerError is an answer that reports success and cannot be a registry's, such as
// the page of a proxy.
type answerError struct{ text string }

func (e *answerError) Error() string        { return e.text }
func (e *answerError) Is(target error) bool { return target == patient.ErrImpostor }

// answers refuses what a registry cannot have answered by the distribution
// specification, where go-containerregistry looks at the status alone.
type answers struct {
	inner http.RoundTripper
	sizes map[v1.Hash]int64 // of the blobs that are pushed
	// there has the paths of the blobs that a registry said it has, in their size.
	there sync.Map
	// tags has the digests of manifests as they were when they were first asked for, by
	// path; empty where there was none.
	tags sync.Map
}

var (
	blobPath     = regexp.MustCompile(`^/v2/.+/blobs/(sha256:[0-9a-f]{64})$`)
	manifestPath = regexp.MustCompile(`^/v2/.+/manifests/[^/]+$`)
	uploadPath   = regexp.MustCompile(`^/v2/.+/blobs/uploads/$`)
)

// RoundTrip implements http.RoundTripper.
func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	asked := patient.Origin(req)
	switch {
	case asked.Method == http.MethodHead:
		a.note(asked, resp)
		a.head(asked, resp)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
	case asked.Method == http.MethodPost && uploadPath.MatchString(asked.URL.Path):
		err = checkStart(asked, resp)
	case asked.Method == http.MethodPut:
		err = checkStored(asked, resp)
	case asked.Method == http.MethodPatch:
		err = noPage(resp)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// note remembers what a tag was before it was pushed.
func (a *answers) note(asked *http.Request, resp *http.Response) {
	if !manifestPath.MatchString(asked.URL.Path) {
		return
	}
	switch resp.StatusCode {
	case http.StatusOK:
		a.tags.LoadOrStore(asked.URL.Host+asked.URL.Path, resp.Header.Get("Docker-Content-Digest"))
	case http.StatusNotFound:
		a.tags.LoadOrStore(asked.URL.Host+asked.URL.Path, "")
	}
}

// head makes of an answer that does not say "it is there" one that says "it is
// not": what is asked for is then sent, and read back.
func (a *answers) head(asked *http.Request, resp *http.Response) {
	there := true
	switch path := asked.URL.Path; {
	case resp.StatusCode == http.StatusMethodNotAllowed, resp.StatusCode == http.StatusNotImplemented:
		there = false
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return
	case resp.StatusCode != http.StatusOK:
		there = false
	case blobPath.MatchString(path):
		digest, err := v1.NewHash(blobPath.FindStringSubmatch(path)[1])
		size, known := a.sizes[digest]
		if there = err == nil && noPage(resp) == nil && known && resp.ContentLength == size; there {
			a.there.Store(asked.URL.Host+path, true)
		}
	case manifestPath.MatchString(path):
		_, err := v1.NewHash(resp.Header.Get("Docker-Content-Digest"))
		there = err == nil && resp.ContentLength >= 0 && resp.Header.Get("Content-Type") != ""
	}
	if !there {
		resp.StatusCode, resp.Status = http.StatusNotFound, "404 Not Found"
	}
}

// checkStart checks the answer to the start of an upload: where it goes on or, only if
// a mount was asked for, that it is not needed.
func checkStart(asked *http.Request, resp *http.Response) error {
	if err := noPage(resp); err != nil {
		return err
	}
	switch mount := asked.URL.Query().Has("mount"); {
	case resp.StatusCode == http.StatusAccepted && resp.Header.Get("Location") == "":
		return &answerError{resp.Status + " without a Location to upload to"}
	case resp.StatusCode == http.StatusCreated && !mount:
		return &answerError{resp.Status + ", and nothing was uploaded yet"}
	}
	return nil
}

// checkStored checks the answer to a blob or a manifest.
func checkStored(asked *http.Request, resp *http.Response) error {
	if err := noPage(resp); err != nil {
		return err
	}
	want := asked.URL.Query().Get("digest")
	if want == "" {
		want = contentDigest(asked)
	}
	if got := resp.Header.Get("Docker-Content-Digest"); got != "" && want != "" && got != want {
		return &answerError{fmt.Sprintf("%s, but of %s, and not of %s", resp.Status, got, want)}
	}
	return nil
}

// contentDigest is the digest of what a request sends, if it can be read again.
func contentDigest(req *http.Request) string {
	if req.GetBody == nil {
		return ""
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	defer body.Close()
	digest, _, err := v1.SHA256(body)
	if err != nil {
		return ""
	}
	return digest.String()
}

// noPage refuses a page for people. The type alone does not show it: Quay calls all
// that it answers HTML.
func noPage(resp *http.Response) error {
	for _, ofRegistries := range []string{"Location", "Docker-Content-Digest", "Docker-Upload-UUID"} {
		if resp.Header.Get(ofRegistries) != "" {
			return nil
		}
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/html" && kind != "application/xhtml+xml" {
		return nil
	}
	return &answerError{fmt.Sprintf("%s with a web page, which no registry answers", resp.Status)}
}
