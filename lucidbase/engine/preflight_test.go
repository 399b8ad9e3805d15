package engine

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

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
		return e.checkRegistries(t.Context(), jobs)
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
