package engine

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

func TestCheckRegistries(t *testing.T) {
	config := t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	e := &Engine{transport: http.DefaultTransport}
	check := func(refs ...string) error {
		jobs := []Job{{To: Layout("dist", "unknown.invalid/a")}}
		for _, ref := range refs {
			jobs = append(jobs, Job{To: Push(ref)})
		}
		return e.checkOutputs(t.Context(), jobs)
	}
	open, private := testregistry.New(t), testregistry.New(t, testregistry.BasicAuth("user", "password"))
	require.NoError(t, check())
	require.NoError(t, check(open.Ref("a"), open.Ref("b")))
	require.LessOrEqual(t, len(open.Requests()), 2, "one registry is asked once")

	err := check(open.Ref("a"), private.Ref("a"))
	require.EqualError(t, err, "pushing to "+private.Host+"/a: 401 Unauthorized")
	require.ErrorAs(t, err, new(*transport.Error))
	auths, err := json.Marshal(map[string]any{"auths": map[string]any{private.Host: map[string]string{"username": "user", "password": "password"}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(config, "config.json"), auths, 0o600))
	require.NoError(t, check(private.Ref("a")))

	require.ErrorContains(t, check("127.0.0.1:1/a"), "pushing to 127.0.0.1:1/a: Get ")
	open.Inject(testregistry.Fault{Status: http.StatusServiceUnavailable, Times: 9})
	require.NoError(t, check(open.Ref("a")), "that passes")
}

// A registry that does not answer, or not as one, is reported before the build.
func TestCheckRegistriesInTrouble(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	tokens := func(challenge string) string {
		var host string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+host+`/token",service="test"`)
				w.WriteHeader(http.StatusUnauthorized)
			} else {
				_, _ = w.Write([]byte(challenge))
			}
		}))
		t.Cleanup(server.Close)
		host = strings.TrimPrefix(server.URL, "http://")
		return host
	}
	faulty := func(f testregistry.Fault) string {
		r := testregistry.New(t)
		f.Times = 999
		r.Inject(f)
		return r.Host
	}
	for name, c := range map[string]struct {
		host    string
		timeout time.Duration // as usual where it is zero: the machine may be busy
		says    string
	}{
		"silence": {faulty(testregistry.Fault{Delay: time.Hour}), 200 * time.Millisecond, `/v2/": no answer in 200ms`},
		"circles": {faulty(testregistry.Fault{Status: http.StatusFound, Header: http.Header{"Location": {"/v2/"}}}), 0, "stopped after 10 redirects"},
		"a page":  {tokens("<!doctype html>"), 0, "200 OK without a token"},
	} {
		t.Run(name, func(t *testing.T) {
			transport, err := RegistryTransport(WithRegistryTimeout(c.timeout))
			require.NoError(t, err)
			e := &Engine{transport: transport}
			err = e.checkOutputs(t.Context(), []Job{{To: Push(c.host + "/a:1")}})
			require.ErrorContains(t, err, "pushing to "+c.host+"/a: ")
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}
