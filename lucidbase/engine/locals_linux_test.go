package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// copied is tiny, with a directory of the client on it.
func copied(l lucidbase.Local) lucidbase.Spec {
	return lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		g, err := tiny().Graph(p)
		created := lucidbase.Epoch()
		g.Locals = map[string]lucidbase.Local{"source": l}
		all := &llb.CopyInfo{CopyDirContentsOnly: true}
		g.State = g.State.File(llb.Copy(llb.Local("source", llb.Platform(p.Build)), "/", "/", all, llb.WithCreatedTime(created)))
		g.Config.History = append(g.Config.History, ocispecs.History{Created: &created, CreatedBy: "test"})
		return g, err
	})
}

// builder builds specs into layouts, with a cache of its own.
type builder struct {
	*engine.Engine
	dir string
}

func newBuilder(t *testing.T) builder {
	t.Helper()
	requireEngine(t)
	b := builder{dir: t.TempDir()}
	var err error
	b.Engine, err = engine.Open(t.Context(), "", engine.WithCacheDir(filepath.Join(b.dir, "cache")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func (b builder) job(l lucidbase.Local, name string) engine.Job {
	return engine.Job{
		Spec:      copied(l),
		Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64},
		To:        engine.Layout(filepath.Join(b.dir, name), "copied"),
	}
}

// last returns the digest of an image's last layer.
func (b builder) last(t *testing.T, l lucidbase.Local) string {
	t.Helper()
	_, err := b.Build(t.Context(), b.job(l, "dist"))
	require.NoError(t, err)
	return b.layer(t, "dist")
}

func (b builder) layer(t *testing.T, name string) string {
	t.Helper()
	index, err := layout.ImageIndexFromPath(filepath.Join(b.dir, name))
	require.NoError(t, err)
	for {
		manifest, err := index.IndexManifest()
		require.NoError(t, err)
		first := manifest.Manifests[0]
		if first.MediaType.IsIndex() {
			index, err = index.ImageIndex(first.Digest)
			require.NoError(t, err)
			continue
		}
		img, err := index.Image(first.Digest)
		require.NoError(t, err)
		layers, err := img.Layers()
		require.NoError(t, err)
		id, err := layers[len(layers)-1].DiffID()
		require.NoError(t, err)
		return id.String()
	}
}

// What a directory's files say counts, and nothing else of them.
func TestLocalDirectory(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	write := func(name, text string, mode os.FileMode, at time.Time) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, os.Chmod(file, mode))
		require.NoError(t, os.Chtimes(file, at, at))
	}
	then, now := time.Unix(1_000_000_000, 0), time.Unix(1_700_000_000, 5)
	write(".dockerignore", "tmp\n.dockerignore\n", 0o644, then)
	write("tmp/x", "left out", 0o644, then)
	write("app/main.py", "x = 1\n", 0o644, then)
	write("app/run", "#!python\n", 0o755, then)
	first := b.last(t, lucidbase.Local{Dir: dir})

	write("app/main.py", "x = 1\n", 0o600, now)
	write("app/run", "#!python\n", 0o700, now)
	write("tmp/y", "left out", 0o644, now)
	require.NoError(t, os.Chmod(filepath.Join(dir, "app"), 0o700))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(filepath.Join(dir, "app/main.py"), 12345, 12345))
	}
	require.Equal(t, first, b.last(t, lucidbase.Local{Dir: dir}), "the same engine")
	require.Equal(t, first, newBuilder(t).last(t, lucidbase.Local{Dir: dir}), "another")

	write("app/main.py", "x = 2\n", 0o600, now)
	second := b.last(t, lucidbase.Local{Dir: dir})
	require.NotEqual(t, first, second, "size and time are what they were")

	files := fstest.MapFS{"app/main.py": {Data: []byte("x = 1\n")}, "app/run": {Data: []byte("#!python\n"), Mode: 0o755}}
	require.Equal(t, first, b.last(t, lucidbase.Local{FS: files}), "a file system without times")
	files["app/main.py"].Data = []byte("x = 2\n")
	require.Equal(t, second, b.last(t, lucidbase.Local{FS: files}))
	files["app/new.py"] = &fstest.MapFile{Data: []byte("y = 1\n")}
	require.NotEqual(t, second, b.last(t, lucidbase.Local{FS: files}))
	delete(files, "app/new.py")
	require.Equal(t, second, b.last(t, lucidbase.Local{FS: files}), "a file is gone again")
}

// Directories that have the same name in builds that run at once are not mixed up.
func TestLocalDirectoriesOfManyBuilds(t *testing.T) {
	b := newBuilder(t)
	var jobs []engine.Job
	for i := range 8 {
		files := fstest.MapFS{"a.py": {Data: fmt.Appendf(nil, "x = %d\n", i%4)}}
		jobs = append(jobs, b.job(lucidbase.Local{FS: files}, fmt.Sprint(i)))
	}
	_, err := b.BuildAll(t.Context(), jobs)
	require.NoError(t, err)
	seen := map[string]int{}
	for i := range jobs {
		seen[b.layer(t, fmt.Sprint(i))]++
	}
	require.Len(t, seen, 4)
	for _, n := range seen {
		require.Equal(t, 2, n)
	}
}

func TestLocalDirectoryIsMissing(t *testing.T) {
	b := newBuilder(t)
	_, err := b.Build(t.Context(), b.job(lucidbase.Local{Dir: filepath.Join(b.dir, "none")}, "dist"))
	require.ErrorContains(t, err, "reading source: ")
	require.ErrorContains(t, err, "none: no such file or directory")
}
