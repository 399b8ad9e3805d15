package image

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/lucid-project/base-images/internal/patient"
)

// Genuine returns a transport for registries that refuses a page for people where
// a token or a manifest is due, of which go-containerregistry would say that it is
// no JSON, and not whose.
func Genuine(inner http.RoundTripper) http.RoundTripper { return genuine{inner} }

type genuine struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g genuine) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.inner.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	switch asked := patient.Origin(req); {
	case asked.Method == http.MethodGet && manifestPath.MatchString(asked.URL.Path):
		err = noPage(resp)
	case isTokenRequest(asked):
		err = checkToken(resp)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// isTokenRequest judges by what go-containerregistry sends. Registries have all
// under /v2/, but blobs may be kept elsewhere.
func isTokenRequest(asked *http.Request) bool {
	switch {
	case strings.HasPrefix(asked.URL.Path, "/v2/"):
		return false
	case asked.Method == http.MethodPost:
		return asked.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
	}
	return asked.Method == http.MethodGet && asked.URL.Query().Has("service")
}

// maxToken bounds the answer of a token server, as go-containerregistry does.
const maxToken = 64 << 10

// checkToken reads the answer, and leaves it to be read.
func checkToken(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return err
	}
	var token struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(data, &token) != nil || token.Token+token.AccessToken == "" {
		return &answerError{resp.Status + " without a token"}
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}
