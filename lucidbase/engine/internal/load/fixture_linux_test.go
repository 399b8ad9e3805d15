package load

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// hello builds a static program that says hello.
func hello(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":  "module hello\n",
		"main.go": "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"hello\\n\") }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", "hello", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	data, err := os.ReadFile(filepath.Join(dir, "hello"))
	require.NoError(t, err)
	return data
}

// layer is a layer of one file.
func layer(t *testing.T, file string, data []byte) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: file, Mode: 0o755, Size: int64(len(data))}))
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	return l
}

// big is a layer that no compression makes small, and how small it is at least.
const big = 4 << 20

func noise(t *testing.T) v1.Layer {
	t.Helper()
	data := make([]byte, big)
	_, _ = rand.Read(data)
	return layer(t, "noise", data)
}

// named is an image of layers for two platforms, the second of which has one more.
func named(t *testing.T, ref string, layers ...v1.Layer) image.Named {
	t.Helper()
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{runtime.GOARCH, other} {
		if arch == other {
			layers = append(layers, layer(t, "other", []byte(ref)))
		}
		img, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
			OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"},
			Config: v1.Config{Cmd: []string{"/hello"}, User: "65532:65532", Labels: map[string]string{"of": ref}},
		})
		require.NoError(t, err)
		img, err = mutate.AppendLayers(img, layers...)
		require.NoError(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	tag, err := name.NewTag(ref)
	require.NoError(t, err)
	return image.Named{Index: index, Tags: []name.Tag{tag, tag.Context().Tag("also")}}
}

// counter forwards connections to a socket, and counts what is sent there.
type counter struct {
	path string
	sent atomic.Int64
}

func newCounter(t *testing.T, to string) *counter {
	t.Helper()
	dir, err := os.MkdirTemp("", "counter-") // a test's own directory may be too long for a socket
	require.NoError(t, err)
	c := &counter{path: filepath.Join(dir, "socket")}
	listener, err := net.Listen("unix", c.path)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = listener.Close()
		require.NoError(t, os.RemoveAll(dir))
	})
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go c.forward(from, to)
		}
	}()
	return c
}

func (c *counter) forward(from net.Conn, to string) {
	defer from.Close()
	conn, err := net.Dial("unix", to)
	if err != nil {
		return
	}
	defer conn.Close()
	ended := make(chan bool, 2)
	go func() {
		_, _ = io.Copy(io.MultiWriter(conn, c), from)
		ended <- true
	}()
	go func() {
		_, _ = io.Copy(from, conn)
		ended <- true
	}()
	<-ended
}

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	c.sent.Add(int64(len(p)))
	return len(p), nil
}
