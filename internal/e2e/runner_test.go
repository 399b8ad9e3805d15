//go:build linux

package e2e

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/sandbox"
)

//go:embed testdata/*.py testdata/stdlib.txt
var probeFiles embed.FS

// probeDir is where a container finds testdata: below its tmpfs, as the root
// file system is read-only and has no place for it.
const probeDir = "/tmp/probe"

// runLimit is far above what a probe takes under emulation on a busy machine.
const runLimit = 5 * time.Minute

// container is an image that is run as lucidtest and "lucidbase run" do.
type container struct {
	img    v1.Image
	config v1.Config
	arch   string
	env    []string // comes after the image's
	probe  string   // the directory with testdata
}

func newContainer(t *testing.T, img v1.Image) container {
	t.Helper()
	image, err := img.ConfigFile()
	require.NoError(t, err)
	probe := filepath.Join(t.TempDir(), "probe")
	c := container{img: img, config: image.Config, arch: image.Architecture, probe: probe}
	require.NoError(t, os.Mkdir(probe, 0o700))
	require.NoError(t, os.Chmod(probe, 0o755)) // whatever the umask is
	entries, err := probeFiles.ReadDir("testdata")
	require.NoError(t, err)
	files := map[string][]byte{"find_library.py": documented(t, "find_library.py")}
	for _, e := range entries {
		files[e.Name()], err = probeFiles.ReadFile("testdata/" + e.Name())
		require.NoError(t, err)
	}
	for name, data := range files {
		file := filepath.Join(probe, name)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		require.NoError(t, os.Chmod(file, 0o644))
	}
	return c
}

// documented is a file that docs/running.md shows: a block whose first line is a
// comment with its name.
func documented(t *testing.T, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/running.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(page), "\n# "+name+"\n")
	require.True(t, found, name)
	block, _, found = strings.Cut(block, "\n```\n")
	require.True(t, found, name)
	return []byte(block + "\n")
}

// result is what a process left behind.
type result struct {
	stdout, stderr string
	code           int
	peak           int64 // memory in bytes, of the process or its largest child
}

// run starts args in a new container and waits for its end. It skips where images cannot
// run.
func (c container) run(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	const name = "image"
	box, err := sandbox.Open(ctx, sandbox.Config{
		CacheDir: filepath.Join(cache, "lucidbase", "sandbox"), Names: []string{name}, Architecture: c.arch,
	})
	if errors.Is(err, sandbox.ErrCannotRun) {
		missing(t, err.Error())
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, box.Close()) }()
	dir := t.TempDir()
	stdout, err := os.Create(filepath.Join(dir, "stdout"))
	require.NoError(t, err)
	defer stdout.Close()
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	require.NoError(t, err)
	defer stderr.Close()
	process, err := box.Start(ctx, sandbox.Container{
		Name: name, Image: c.img, Args: args, Env: c.env, Mounts: []sandbox.Mount{{Source: c.probe, Target: probeDir}},
		Stdout: stdout, Stderr: stderr,
	})
	require.NoError(t, err)
	var res result
	select {
	case <-process.Done():
		res.code, err = process.ExitCode()
		require.NoError(t, err)
	case <-ctx.Done():
		err = fmt.Errorf("%s: no end after %s: %w", args, runLimit, context.Cause(ctx))
	}
	for file, text := range map[*os.File]*string{stdout: &res.stdout, stderr: &res.stderr} {
		data, readErr := os.ReadFile(file.Name())
		require.NoError(t, readErr)
		*text = string(data)
	}
	require.NoError(t, err, res.stdout+res.stderr)
	return res
}
