package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/reexec"
)

// The tests run the real BuildKit and runc. The image of their steps holds one
// program, which is made here and reaches BuildKit through the client's store.

// requireEngine skips a test where BuildKit cannot run or that is to be short, unless
// LUCID_REQUIRE_ENGINE=1 says that it must.
func requireEngine(t testing.TB) {
	t.Helper()
	if testing.Short() && os.Getenv("LUCID_REQUIRE_ENGINE") != "1" {
		t.Skip("starts BuildKit")
	}
	if os.Geteuid() != 0 {
		missing(t, "not root")
	}
	if _, err := reexec.FindRunc(false); err != nil {
		missing(t, err.Error())
	}
}

func missing(t testing.TB, reason string) {
	t.Helper()
	require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "the engine cannot run: "+reason)
	t.Skip(reason)
}

// fixture is a client's store that holds the tests' image.
type fixture struct {
	Dir      string
	Manifest digest.Digest
	Secrets  map[string][]byte // what a step may ask for
}

const storeID = "test"

func newFixture(t testing.TB) fixture {
	t.Helper()
	dir := t.TempDir()
	store, err := local.NewStore(dir)
	require.NoError(t, err)
	step, err := stepBinary()
	require.NoError(t, err)
	layer := add(t, store, ocispecs.MediaTypeImageLayer, imageLayer(t, step))
	config := add(t, store, ocispecs.MediaTypeImageConfig, encode(t, ocispecs.Image{
		Platform: platforms.DefaultSpec(),
		RootFS:   ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
	}))
	manifest := add(t, store, ocispecs.MediaTypeImageManifest, encode(t, ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageManifest,
		Config:    config,
		Layers:    []ocispecs.Descriptor{layer},
	}))
	return fixture{Dir: dir, Manifest: manifest.Digest}
}

// image is the tests' image as a source.
func (f fixture) image() llb.State {
	return llb.OCILayout("image.invalid/test@"+f.Manifest.String(), llb.OCIStore("", storeID))
}

// copy is a store of one's own: two processes cannot write to one at once.
func (f fixture) copy(t testing.TB) fixture {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(f.Dir)))
	f.Dir = dir
	return f
}

var stepBinary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "step")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "step")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/step")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
})

func imageLayer(t testing.TB, step []byte) []byte {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, h := range []tar.Header{
		{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "bin/step", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(step))},
		{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755},
		// A group that only exists where all of a user's ids are mapped.
		{Name: "etc/gshadow", Typeflag: tar.TypeReg, Mode: 0o640, Gid: 42},
	} {
		h.ModTime = time.Unix(1<<30, 0)
		require.NoError(t, w.WriteHeader(&h))
		if h.Size > 0 {
			_, err := w.Write(step)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return layer.Bytes()
}

func add(t testing.TB, store content.Store, mediaType string, blob []byte) ocispecs.Descriptor {
	t.Helper()
	desc := ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(blob), Size: int64(len(blob))}
	require.NoError(t, content.WriteBlob(context.Background(), store, desc.Digest.String(), bytes.NewReader(blob), desc))
	return desc
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
