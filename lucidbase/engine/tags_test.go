package engine

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
)

func TestCheckTags(t *testing.T) {
	for _, tt := range []struct {
		to   Destination
		want string // in the error; empty means none
		tags []string
	}{
		{Push("r.example/a:v1.0.0", Tags("stable", "v1.0.0", "stable"), Series()), "", []string{"stable"}},
		{Push("r.example/a", Tags("1.0.0"), Series()), "", []string{"1.0.0"}},
		{Push("r.example/a", Tags("latest")), "", []string{}},
		{Push("r.example/a:v1.0.0", Tags("")), `To: tag "":`, nil},
		{Push("r.example/a:v1.0.0", Tags("a b")), `To: tag "a b":`, nil},
		{Push("r.example/a:v1.0.0", Tags("b:c")), `To: tag "b:c":`, nil},
		{Push("r.example/a:v1.0.0", Tags(strings.Repeat("x", 129))), `To: tag "xxx`, nil},
		{Push("r.example/a:v1.0", Series()), "To: Series: no tag is a semantic version", nil},
		{Destination{Name: "r.example/a:v1.0.0", Series: true, Output: kept{}}, "To: Series: only a registry has series", nil},
	} {
		to, err := tt.to.check()
		if tt.want != "" {
			require.ErrorContains(t, err, tt.want)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.tags, to.Tags)
	}
}

// tagJob is a job of a small image that is pushed.
func tagJob(ref string, opts ...TagOption) Job {
	return Job{Spec: files("one"), To: Push(ref, opts...)}
}

func TestBuildTags(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	e := newEngine(t, (&fakeBuildKit{}).node(lucidbase.LinuxAMD64))
	e.transport = http.DefaultTransport
	r := testregistry.New(t)
	res, err := e.Build(t.Context(), tagJob(r.Ref("lucid/a:v1.4.2"), Tags("stable"), Series()))
	require.NoError(t, err)
	require.Equal(t, []string{"v1.4.2", "stable", "v1.4", "v1"}, res.Tags)
	for _, tag := range res.Tags {
		digest, err := crane.Digest(r.Ref("lucid/a:" + tag))
		require.NoError(t, err)
		require.Equal(t, res.Digest, digest)
	}
	older, err := e.Build(t.Context(), tagJob(r.Ref("lucid/a:v1.3.9"), Series()))
	require.NoError(t, err)
	require.Equal(t, []string{"v1.3.9", "v1.3"}, older.Tags)
}

// Whether the registry lists its tags is asked before anything is built.
func TestBuildSeriesUntold(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	e := newEngine(t, (&fakeBuildKit{before: func(context.Context, string) error {
		t.Error("nothing is built")
		return nil
	}}).node(lucidbase.LinuxAMD64))
	e.transport = http.DefaultTransport
	r := testregistry.New(t)
	r.Inject(testregistry.Fault{Path: "/tags/list", Status: http.StatusMethodNotAllowed, Times: 99})
	_, err := e.Build(t.Context(), tagJob(r.Ref("lucid/a:v1.4.2"), Series()))
	require.ErrorContains(t, err, "pushing to "+r.Ref("lucid/a")+": listing tags for the series of v1.4.2: GET: 405 Method Not Allowed")
	require.ErrorAs(t, err, new(*PushError))
}
