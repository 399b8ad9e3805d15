//go:build linux

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is what several tests use: the command, and images that it built from
// an empty cache. It is made by the first that asks and removed by TestMain.
type shared struct {
	dir string
	err error
}

var shareMade atomic.Bool

var makeShared = sync.OnceValue(func() (s shared) {
	shareMade.Store(true)
	if s.dir, s.err = os.MkdirTemp("", "lucid-e2e-"); s.err != nil {
		return s
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(s.dir, "lucidbase"), "github.com/lucid-project/base-images/cmd/lucidbase")
	if out, err := build.CombinedOutput(); err != nil {
		s.err = fmt.Errorf("%w: %s", err, out)
	}
	return s
})

// needEngine skips where the embedded engine cannot run.
func needEngine(t *testing.T) shared {
	t.Helper()
	if testing.Short() {
		t.Skip("builds images")
	}
	if os.Geteuid() != 0 {
		missing(t, "the embedded engine is tested as root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		missing(t, "the embedded engine needs runc")
	}
	s := makeShared()
	require.NoError(t, s.err)
	return s
}

// command is a run of lucidbase.
type command struct {
	args []string
	env  []string
	dir  string // work directory
	// under is a command that starts this one, such as a shell that sets umask.
	under []string
	// metadata is the metadata file, if not one in a directory of the test's.
	metadata string
}

func (s shared) cmd(t *testing.T, c command) *exec.Cmd {
	t.Helper()
	args := append(append(c.under, filepath.Join(s.dir, "lucidbase")), c.args...)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Dir = c.dir
	return cmd
}

func (s shared) run(t *testing.T, c command) result {
	t.Helper()
	cmd := s.cmd(t, c)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode(), peak: usage.Maxrss << 10}
}

// built is what --metadata-file says.
type built struct {
	Images []struct {
		Name, Ref, Digest string
		Platforms         []struct {
			Platform, Digest string
			Size             int64
		}
	}
	peak int64
}

// digests maps "IMAGE PLATFORM" to the manifest's digest, and IMAGE to the
// index's.
func (b built) digests() map[string]string {
	all := map[string]string{}
	for _, im := range b.Images {
		all[im.Name] = im.Digest
		for _, p := range im.Platforms {
			all[im.Name+" "+p.Platform] = p.Digest
		}
	}
	return all
}

// build builds both Debian images and returns the metadata.
func (s shared) build(t *testing.T, c command) built {
	t.Helper()
	c.args = append([]string{"base", "python-base"}, c.args...)
	return s.buildNamed(t, c)
}

// buildNamed builds the images that the arguments begin with and returns the metadata;
// stdout must be its lines.
func (s shared) buildNamed(t *testing.T, c command) built {
	t.Helper()
	file := cmp.Or(c.metadata, filepath.Join(t.TempDir(), "metadata.json"))
	c.args = append([]string{"build", "--metadata-file", file, "--progress", "plain"}, c.args...)
	res := s.run(t, c)
	require.Zero(t, res.code, res.stderr)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var b built
	require.NoError(t, json.Unmarshal(data, &b))
	b.peak = res.peak
	var lines []string
	for _, im := range b.Images {
		lines = append(lines, im.Name+" "+im.Ref+"@"+im.Digest+"\n")
	}
	require.Equal(t, strings.Join(lines, ""), res.stdout)
	return b
}

// cache is the directory that the tests share, after the first build.
func (s shared) cache() string { return filepath.Join(s.dir, "cache") }

// lockCache is the directory that tests which lock, and make wheels, share: what they
// all stand on (uv, the compiler and its libraries) is made once.
func (s shared) lockCache() string { return filepath.Join(s.lockHome(), "lucidbase") }

// lockHome has the lockCache where a program with this XDG_CACHE_HOME looks for it.
func (s shared) lockHome() string { return filepath.Join(s.dir, "home") }

var buildOnce sync.Once
var coldBuild built

// firstBuild builds both Debian images for both platforms from nothing, once.
func (s shared) firstBuild(t *testing.T) built {
	t.Helper()
	buildOnce.Do(func() {
		coldBuild = s.build(t, command{args: []string{"--cache-dir", s.cache(), "--output", filepath.Join(s.dir, "dist")}})
	})
	require.Len(t, coldBuild.Images, 2, "the first build failed")
	return coldBuild
}

func (s shared) remove() {
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}
