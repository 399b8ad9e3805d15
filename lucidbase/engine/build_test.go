package engine

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
)

// recorder is an Output that notes what it is asked, and fails if told to.
type recorder struct {
	mu     sync.Mutex
	events []string
	refuse error
}

func (r *recorder) note(what string, d Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, img := range d.Images {
		names = append(names, img.Name.String())
	}
	r.events = append(r.events, what+" "+strings.Join(names, " "))
	return r.refuse
}

func (r *recorder) Check(_ context.Context, d Delivery) error { return r.note("check", d) }

func (r *recorder) Deliver(_ context.Context, d Delivery) error {
	for _, img := range d.Images {
		if err := validate.Index(img.Index); err != nil {
			return err
		}
	}
	return r.note("deliver", d)
}

func (r *recorder) to(name string) Destination { return Destination{Name: name, Output: r} }

// All is checked, then built, then delivered, what goes to one Output at once.
func TestBuildAllDelivers(t *testing.T) {
	var r recorder
	fake := &fakeBuildKit{before: func(context.Context, string) error {
		return r.note("solve", Delivery{})
	}}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	dir := filepath.Join(t.TempDir(), "c")
	results, err := e.BuildAll(t.Context(), []Job{
		{Spec: files("one"), To: r.to("lucid/a")},
		{Spec: files("one", "two"), To: r.to("lucid/b:v1")},
		{Spec: files("three"), To: Layout(dir, "lucid/c")},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"check lucid/a:latest lucid/b:v1", "solve ", "solve ", "solve ", "solve ", "solve ", "solve ", "deliver lucid/a:latest lucid/b:v1"}, r.events)
	for i, name := range []string{"lucid/a:latest", "lucid/b:v1", "lucid/c:latest"} {
		require.Equal(t, name, results[i].Name)
		require.Equal(t, name+"@"+results[i].Digest, results[i].Ref)
		require.NoError(t, validate.Index(results[i].Index))
		require.Equal(t, lucidbase.LinuxAMD64, results[i].Platforms[0].Platform)
		require.Equal(t, lucidbase.LinuxARM64, results[i].Platforms[1].Platform)
	}
	require.FileExists(t, filepath.Join(dir, "index.json"))
}

// What an Output refuses is not built.
func TestOutputRefuses(t *testing.T) {
	fake, refuse := &fakeBuildKit{}, errors.New("no room")
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	_, err := e.Build(t.Context(), Job{Spec: files("one"), To: (&recorder{refuse: refuse}).to("lucid/a")})
	require.ErrorIs(t, err, refuse)
	same := t.TempDir()
	_, err = e.BuildAll(t.Context(), []Job{
		{Spec: files("one"), To: Layout(same, "lucid/a")},
		{Spec: files("two"), To: Layout(same, "lucid/b")},
	})
	require.ErrorContains(t, err, "a layout of one image is asked for 2 times")
	require.Empty(t, fake.solved)
}

// Each platform is built where it is native, and the image is the same.
func TestNodes(t *testing.T) {
	one, amd, arm := &fakeBuildKit{}, &fakeBuildKit{}, &fakeBuildKit{}
	var r recorder
	job := Job{Spec: files("one", "two"), To: r.to("lucid/a")}
	want, err := newEngine(t, one.node(lucidbase.LinuxARM64)).Build(t.Context(), job)
	require.NoError(t, err)
	got, err := newEngine(t, arm.node(lucidbase.LinuxARM64), amd.node(lucidbase.LinuxAMD64)).Build(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, want.Digest, got.Digest)
	require.ElementsMatch(t, []string{"linux/amd64", "linux/arm64"}, one.solved)
	require.Equal(t, []string{"linux/amd64"}, amd.solved)
	require.Equal(t, []string{"linux/arm64"}, arm.solved)
}

// One platform that fails ends the others, and nothing is delivered of any image.
func TestOneFails(t *testing.T) {
	var r recorder
	ended := make(chan error, 3)
	fake := &fakeBuildKit{before: func(ctx context.Context, platform string) error {
		if platform == "linux/arm64" && len(ended) == 0 {
			return errors.New("the step does not work")
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	}}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	_, err := e.BuildAll(t.Context(), []Job{
		{Spec: files("one"), To: r.to("lucid/a")},
		{Spec: files("two"), Platforms: lucidbase.AllPlatforms()[:1], To: r.to("lucid/b")},
	})
	require.ErrorContains(t, err, "the step does not work")
	require.Len(t, ended, 2)
	require.Empty(t, fake.solved)
	require.Equal(t, []string{"check lucid/a:latest lucid/b:latest"}, r.events)
}

// A build that waited for what BuildKit took from another client, which has ended,
// starts again; not for ever.
func TestAnotherBuildEnds(t *testing.T) {
	var r recorder
	left := errors.New("failed to copy: error reading from server: rpc error: code = Canceled desc = context canceled")
	for _, times := range []int{1, maxRestarts, maxRestarts + 1} {
		failures := 0
		fake := &fakeBuildKit{before: func(context.Context, string) error {
			if failures == times {
				return nil
			}
			failures++
			return left
		}}
		job := Job{Spec: files("one"), Platforms: lucidbase.AllPlatforms()[:1], To: r.to("lucid/a")}
		_, err := newEngine(t, fake.node(lucidbase.LinuxAMD64)).Build(t.Context(), job)
		require.Equal(t, times, failures)
		if times <= maxRestarts {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, errLeft)
		}
	}
}

func TestCancel(t *testing.T) {
	var r recorder
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user has seen enough")
	fake := &fakeBuildKit{before: func(ctx context.Context, _ string) error {
		cancel(why)
		<-ctx.Done()
		return ctx.Err()
	}}
	_, err := newEngine(t, fake.node(lucidbase.LinuxAMD64)).Build(ctx, Job{Spec: files("one"), To: r.to("lucid/a")})
	require.ErrorIs(t, err, why)
	require.Len(t, r.events, 1)
}

// A BuildKit that cannot do it is reported before it does anything.
func TestNoMerge(t *testing.T) {
	var r recorder
	fake := &fakeBuildKit{noMerge: true, before: func(context.Context, string) error { return errors.New("it was asked") }}
	_, err := newEngine(t, fake.node(lucidbase.LinuxAMD64)).Build(t.Context(), Job{Spec: files("one"), To: r.to("lucid/a")})
	require.ErrorIs(t, err, ErrNoMerge)
	require.Len(t, r.events, 1)
}

// What breaks its contract takes what does not with it.
func TestBrokenContract(t *testing.T) {
	var r recorder
	root := lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		g, err := files("one").Graph(p)
		g.Config.Config.User = "root"
		return g, err
	})
	fake := &fakeBuildKit{}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	jobs := []Job{{Spec: files("one"), To: r.to("lucid/a")}, {Spec: root, To: r.to("lucid/b")}}
	for range 2 { // it is not remembered as one that fulfils it
		_, err := e.BuildAll(t.Context(), jobs)
		var broken *ContractError
		require.ErrorAs(t, err, &broken)
		require.Len(t, broken.Results, 2, "each platform")
		require.Equal(t, "lucid/b:latest", broken.Results[0].Name)
		require.Equal(t, "user", broken.Results[0].Findings[0].Rule)
	}
	require.Equal(t, []string{"check lucid/a:latest lucid/b:latest", "check lucid/a:latest lucid/b:latest"}, r.events)
}

// What did not change is found without a node, unless a blob is missing or everything
// is to be built again.
func TestUnchanged(t *testing.T) {
	var r recorder
	fake := &fakeBuildKit{}
	reached := 0
	n := fake.node(lucidbase.LinuxAMD64)
	open := n.open
	n.open = func(ctx context.Context) (*connection, error) {
		reached++
		return open(ctx)
	}
	e := newEngine(t, n)
	solves := func(job Job) (digest string, solves int) {
		fake.solved = nil
		res, err := e.Build(t.Context(), job)
		require.NoError(t, err)
		return res.Digest, len(fake.solved)
	}
	job := Job{Spec: files("one"), To: r.to("lucid/a")}
	want, made := solves(job)
	require.Equal(t, 2, made)
	require.Equal(t, 1, reached)
	n.conn = nil

	got, made := solves(job)
	require.Equal(t, want, got)
	require.Zero(t, made)
	require.Equal(t, 1, reached, "nobody is asked")
	renamed := job
	renamed.To = r.to("lucid/b")
	got, made = solves(renamed)
	require.Equal(t, want, got)
	require.Zero(t, made)

	again := job
	again.NoCache = true
	got, made = solves(again)
	require.Equal(t, want, got)
	require.Equal(t, 2, made)

	for _, kind := range []string{"index", "manifest", "config", "layer"} {
		removeBlob(t, e, want, kind)
		got, made = solves(job)
		require.Equal(t, want, got, kind)
		require.Equal(t, 2, made, kind)
	}
	_, made = solves(Job{Spec: files("one", "two"), To: r.to("lucid/a")})
	require.Equal(t, 2, made)
}

// removeBlob removes a blob of an image from the cache.
func removeBlob(t *testing.T, e *Engine, index, kind string) {
	t.Helper()
	res, err := e.Build(t.Context(), Job{Spec: files("one"), To: (&recorder{}).to("lucid/a")})
	require.NoError(t, err)
	m, err := res.Index.IndexManifest()
	require.NoError(t, err)
	img, err := res.Index.Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	manifest, err := img.Manifest()
	require.NoError(t, err)
	hex := map[string]string{
		"index":    strings.TrimPrefix(index, "sha256:"),
		"manifest": m.Manifests[0].Digest.Hex,
		"config":   manifest.Config.Digest.Hex,
		"layer":    manifest.Layers[0].Digest.Hex,
	}[kind]
	require.NoError(t, os.Remove(filepath.Join(e.options.contentDir(), "blobs", "sha256", hex)))
}

// A blob that is damaged without being missing is noticed where it is used.
func TestDamagedBlobIsMadeAgain(t *testing.T) {
	fake := &fakeBuildKit{}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	var r recorder
	want, err := e.Build(t.Context(), Job{Spec: files("one"), To: r.to("lucid/a")})
	require.NoError(t, err)
	manifest, err := want.Index.IndexManifest()
	require.NoError(t, err)
	img, err := want.Index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	layers, err := img.Layers()
	require.NoError(t, err)
	layer, err := layers[0].Digest()
	require.NoError(t, err)
	path := filepath.Join(e.options.contentDir(), "blobs", "sha256", layer.Hex)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o644))

	got, err := e.Build(t.Context(), Job{Spec: files("one"), To: r.to("lucid/a")})
	require.NoError(t, err, "the recorder reads every byte")
	require.Equal(t, want.Digest, got.Digest)
	require.NoError(t, validate.Index(got.Index))
}

// Images that go to registries share one push: a layer that two have is uploaded once,
// and tags come last.
func TestOnePush(t *testing.T) {
	fake, registry := &fakeBuildKit{}, testregistry.New(t)
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	_, err := e.BuildAll(t.Context(), []Job{
		{Spec: files("one"), To: Push(registry.Ref("lucid/a:v1"))},
		{Spec: files("one", "two"), To: Push(registry.Ref("lucid/b:v1"))},
	})
	require.NoError(t, err)
	var uploads, tags int
	var last []string
	for _, q := range registry.Requests() {
		if q.Method == http.MethodPut && strings.Contains(q.Path, "/blobs/uploads/") {
			uploads++
		}
		if q.Method == http.MethodPut {
			last = append(last, q.Path)
		}
	}
	// Two layers, the same for both platforms, and four configs.
	require.Equal(t, 6, uploads)
	for _, path := range last[len(last)-2:] {
		if strings.HasSuffix(path, "/manifests/v1") {
			tags++
		}
	}
	require.Equal(t, 2, tags)
}

// All that is wrong with all jobs is reported at once, and nothing is built.
func TestWrongJobs(t *testing.T) {
	fake := &fakeBuildKit{}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	_, err := e.BuildAll(t.Context(), []Job{
		{Compression: "brotli"},
		{Spec: files("one"), To: Push("lucid/UPPER")},
	})
	for _, says := range []string{"job 1: Spec: missing", "To: missing", `"brotli" is not gzip or zstd`, "job 2: To: "} {
		require.ErrorContains(t, err, says)
	}
	bad := lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		return lucidbase.Graph{State: llb.Scratch()}, errors.New("no lock for " + p.Target.Architecture)
	})
	_, err = e.Build(t.Context(), Job{Spec: bad, To: Push("lucid/a")})
	require.EqualError(t, err, "no lock for amd64\nno lock for arm64")
	require.Empty(t, fake.solved)
}
