package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// builtMetadata is the metadata file of a build of services.
func builtMetadata(t *testing.T, names ...string) string {
	t.Helper()
	b := buildFlags{metadata: filepath.Join(t.TempDir(), "build.json")}
	var m metadata
	for _, name := range names {
		m.Images = append(m.Images, imageMetadata{Name: name, Ref: "lucid/" + name + ":v1", Digest: "sha256:" + strings.Repeat("0", 64)})
	}
	require.NoError(t, b.writeMetadata(m))
	return b.metadata
}

func TestDeployCommands(t *testing.T) {
	built := builtMetadata(t, "hello", "worker")
	for _, c := range []struct {
		args      string
		has, lack string
	}{
		{"compose", "hello:", "No such text"},
		{"compose worker", "worker:", "hello"},
		{"compose --full", "image: lucid/hello:v1@sha256:0000", "It lies over"},
		{"k8s hello", "kind: Deployment", "worker"},
	} {
		output := filepath.Join(t.TempDir(), "out.yaml")
		args := append(strings.Fields(c.args), "-f", "testdata/lucidbase.yaml", "--metadata-file", built, "-o", output)
		status, out, errOut := run(t, nil, args...)
		require.Zero(t, status, errOut)
		require.Equal(t, output+"\n", out)
		data, err := os.ReadFile(output)
		require.NoError(t, err)
		require.Contains(t, string(data), c.has)
		require.NotContains(t, string(data), c.lack)
	}
}

// Nothing is written where something is wrong.
func TestDeployErrors(t *testing.T) {
	for _, c := range []struct {
		name, built, file, says string
	}{
		{"not built", builtMetadata(t, "hello"), "testdata/lucidbase.yaml", "worker: no image is known: it is not among those that were built"},
		{"no metadata file", "testdata/none.json", "testdata/lucidbase.yaml", "testdata/none.json"},
		{"no JSON", "testdata/lucidbase.yaml", "testdata/lucidbase.yaml", "parsing testdata/lucidbase.yaml: "},
		{"no file", builtMetadata(t), "testdata/none.yaml", "testdata/none.yaml"},
	} {
		for _, command := range []string{"compose", "k8s"} {
			dir := t.TempDir()
			status, out, errOut := run(t, nil, command, "-f", c.file, "--metadata-file", c.built, "-o", filepath.Join(dir, "out.yaml"))
			require.Equal(t, statusFailed, status, c.name)
			require.Empty(t, out)
			require.Contains(t, errOut, c.says, c.name)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
		}
	}
	status, _, errOut := run(t, nil, "k8s", "-f", "testdata/lucidbase.yaml", "--metadata-file", builtMetadata(t, "hello", "worker"), "-o", t.TempDir())
	require.Equal(t, statusFailed, status)
	require.Contains(t, errOut, "it is a directory")
}
