package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
)

// An image goes to several places, what is pushed last; a file has all images that are
// for it.
func TestTars(t *testing.T) {
	fake, registry := &fakeBuildKit{}, testregistry.New(t)
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	file := filepath.Join(t.TempDir(), "images.tar")
	var out bytes.Buffer
	job := func(name string) Job {
		return Job{
			Spec: files(name), To: Push(registry.Ref("lucid/" + name)),
			Also: []Destination{Tar(file, OCI, "lucid/"+name), TarTo(&out, OCI, "lucid/"+name), (&recorder{}).to("lucid/" + name)},
		}
	}
	results, err := e.BuildAll(t.Context(), []Job{job("one"), job("two")})
	require.NoError(t, err)
	require.Equal(t, registry.Ref("lucid/one:latest"), results[0].Name, "that of To")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, data, out.Bytes())
	require.Contains(t, out.String(), "docker.io/lucid/one:latest")
	require.Contains(t, out.String(), "docker.io/lucid/two:latest")
}

func TestDockerTar(t *testing.T) {
	fake := &fakeBuildKit{}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	dir := t.TempDir()
	file := filepath.Join(dir, "image.tar")
	job := Job{Spec: files("one"), To: Tar(file, Docker, "lucid/one")}
	_, err := e.Build(t.Context(), job)
	require.EqualError(t, err, "To: a tar for docker holds one platform, and lucid/one:latest is for 2")
	job.To = Tar(dir, OCI, "lucid/one")
	_, err = e.Build(t.Context(), job)
	require.EqualError(t, err, "To: "+dir+" is a directory, not a file")
	job.To = Tar(file, "zip", "lucid/one")
	_, err = e.Build(t.Context(), job)
	require.EqualError(t, err, `To: format "zip" is not oci or docker`)
	require.Empty(t, fake.solved)

	job.To, job.Platforms = Tar(file, Docker, "lucid/one"), []ocispecs.Platform{lucidbase.LinuxARM64}
	_, err = e.Build(t.Context(), job)
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), `"RepoTags":["docker.io/lucid/one:latest"]`)
}

// A damaged blob is made again before a byte of the tar is out.
func TestTarOfDamagedBlob(t *testing.T) {
	e := newEngine(t, (&fakeBuildKit{}).node(lucidbase.LinuxAMD64))
	res, err := e.Build(t.Context(), Job{Spec: files("one"), To: Keep("lucid/one")})
	require.NoError(t, err)
	var whole, out bytes.Buffer
	_, err = e.Build(t.Context(), Job{Spec: files("one"), To: TarTo(&whole, OCI, "lucid/one")})
	require.NoError(t, err)
	img, err := res.Index.IndexManifest()
	require.NoError(t, err)
	platform, err := res.Index.Image(img.Manifests[0].Digest)
	require.NoError(t, err)
	layers, err := platform.Layers()
	require.NoError(t, err)
	h, err := layers[0].Digest()
	require.NoError(t, err)
	blob := filepath.Join(e.options.contentDir(), "blobs", "sha256", h.Hex)
	info, err := os.Stat(blob)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(blob, bytes.Repeat([]byte("x"), int(info.Size())), 0o600))
	_, err = e.Build(t.Context(), Job{Spec: files("one"), To: TarTo(&out, OCI, "lucid/one")})
	require.NoError(t, err)
	require.Equal(t, whole.Bytes(), out.Bytes())
}
