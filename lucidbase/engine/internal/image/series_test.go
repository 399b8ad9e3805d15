package image

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/testregistry"
)

func TestSeries(t *testing.T) {
	for _, tt := range []struct {
		tag  string
		has  []string
		want map[string]string // tag to the later version
	}{
		{"v1.4.2", nil, map[string]string{"v1.4": "", "v1": ""}},
		{"1.4.2", nil, map[string]string{"1.4": "", "1": ""}},
		{"v0.4.2", []string{"v0.4.1"}, map[string]string{"v0.4": "", "v0": ""}},
		{"v1.4.2", []string{"v1.4.2", "v1.4.1", "v1.4", "v1", "latest", "v2.0.0"}, map[string]string{"v1.4": "", "v1": ""}},
		{"v1.4.2", []string{"v1.5.0", "v1.6.0", "v1.5.1"}, map[string]string{"v1.4": "", "v1": "v1.6.0"}},
		{"v1.4.2", []string{"1.4.10"}, map[string]string{"v1.4": "1.4.10", "v1": "1.4.10"}},
		{"v1.4.2", []string{"v1.4.3-rc.1", "v1.4", "v1.9", "v1.4.03", "v10.0.0", "v1.40.0-x"}, map[string]string{"v1.4": "", "v1": ""}},
		{"v1.5.0-rc.1", nil, map[string]string{}},
		{"stable", []string{"v1.0.0"}, map[string]string{}},
		{"v1.4", nil, map[string]string{}},
		{"v1.04.2", nil, map[string]string{}},
	} {
		tag, err := name.NewTag("registry.example.com/base:" + tt.tag)
		require.NoError(t, err)
		got := map[string]string{}
		for _, s := range Series(tag, tt.has) {
			require.Equal(t, tag.Context(), s.Tag.Context())
			got[s.Tag.TagStr()] = s.Later
		}
		require.Equal(t, tt.want, got, "%s and %v", tt.tag, tt.has)
	}
}

func TestPushSeries(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	release := func(version string, img *Image) (moved []string) {
		to := target(t, r, img, "lucid/base:"+version)
		to.Series = true
		series, err := Push(t.Context(), []Target{to}, nil, Lenders{})
		require.NoError(t, err)
		for _, s := range series {
			if s.Later == "" {
				moved = append(moved, s.Tag.TagStr())
			}
		}
		return moved
	}
	requireTags := func(img *Image, tags ...string) {
		t.Helper()
		for _, tag := range tags {
			requireTag(t, r.Ref("lucid/base:"+tag), img.Index())
		}
	}
	first, second, third, fix := e.image("1"), e.image("2"), e.image("3"), e.image("4")
	require.Equal(t, []string{"v1.4", "v1"}, release("v1.4.1", first))
	requireTags(first, "v1.4.1", "v1.4", "v1")
	require.Equal(t, []string{"v1.5", "v1"}, release("v1.5.0", second))
	requireTags(second, "v1.5.0", "v1.5", "v1")
	require.Empty(t, release("v1.6.0-rc.1", third))
	requireTags(second, "v1.5", "v1")
	require.Equal(t, []string{"v1.4"}, release("v1.4.2", fix), "v1 stays with v1.5.0")
	requireTags(fix, "v1.4.2", "v1.4")
	requireTags(second, "v1.5", "v1")
	require.Empty(t, release("v1.4.1", first), "once more")
	requireTags(fix, "v1.4")

	got := writes(r)
	require.Equal(t, "tag /v2/lucid/base/manifests/", got[len(got)-1])
}

// A registry that does not tell its tags: the version is pushed, no series moves.
func TestPushSeriesUntold(t *testing.T) {
	r := testregistry.New(t)
	to := target(t, r, newExport(t).image("root"), "lucid/base:v1.0.0")
	to.Series = true
	r.Inject(testregistry.Fault{Path: "/tags/list", Status: http.StatusForbidden, Times: 99})
	var w waits
	err := w.push(t, to)
	require.ErrorContains(t, err, "pushing to "+r.Ref("lucid/base")+": listing tags for the series of v1.0.0: GET: 403 Forbidden: DENIED")
	require.ErrorAs(t, err, new(*transport.Error))
	requirePushed(t, to)
	_, err = crane.Digest(r.Ref("lucid/base:v1"))
	require.ErrorContains(t, err, "MANIFEST_UNKNOWN")

	r.Reset()
	r.Inject(testregistry.Fault{Path: "/tags/list", Status: http.StatusBadGateway, Times: 2})
	require.NoError(t, w.push(t, to), "that passes")
	requireTag(t, r.Ref("lucid/base:v1"), to.Index)
}

// Of two pushes of one tag, the last wins, whole; the other says so.
func TestPushOvertaken(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	old, ours, theirs := e.image("old"), e.image("ours"), e.image("theirs")
	to := target(t, r, old, "lucid/base:latest")
	require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
	rt := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil && req.Method == http.MethodPut && strings.HasSuffix(req.URL.Path, "/manifests/latest") {
			require.NoError(t, pushAll(t.Context(), []Target{{Index: theirs.Index(), Tag: to.Tag}}, nil))
		}
		return resp, err
	})
	to.Index = ours.Index()
	var w waits
	_, err := push(t.Context(), []Target{to}, rt, Lenders{}, w.wait)
	require.ErrorContains(t, err, "latest: reading it back: it is "+theirs.Digest.String()+", not "+ours.Digest.String()+", as somebody else has pushed it since")
	require.ErrorIs(t, err, ErrMoved)
	require.NotErrorIs(t, err, patient.ErrImpostor)
	requirePushed(t, Target{Index: theirs.Index(), Tag: to.Tag})
	requireTag(t, r.Ref("lucid/base@"+ours.Digest.String()), ours.Index())
}
