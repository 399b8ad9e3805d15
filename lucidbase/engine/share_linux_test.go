package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shareVariable has the cache of a process that TestTenProcesses starts.
const shareVariable = "LUCID_TEST_SHARE"

// Ten processes that build one image at once, from nothing and in one cache, all
// get the same one.
func TestTenProcesses(t *testing.T) {
	requireEngine(t)
	if dir := os.Getenv(shareVariable); dir != "" {
		got, _, err := cache(dir).build(t.Context())
		require.NoError(t, err)
		fmt.Println(got)
		return
	}
	dir := t.TempDir()
	want, _, err := cache(t.TempDir()).build(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "cache"), 0o700))
	outputs := make(chan string)
	for i := range 10 {
		own := filepath.Join(dir, fmt.Sprint(i)) // where the image goes
		require.NoError(t, os.Mkdir(own, 0o700))
		require.NoError(t, os.Symlink("../cache", filepath.Join(own, "cache")))
		go func() {
			cmd := exec.Command("/proc/self/exe", "-test.run=^TestTenProcesses$")
			cmd.Env = append(os.Environ(), shareVariable+"="+own)
			out, err := cmd.CombinedOutput()
			outputs <- fmt.Sprint(string(out), err)
		}()
	}
	var all []string
	for range 10 {
		all = append(all, <-outputs)
	}
	for i, out := range all {
		require.Contains(t, out, want+"\n")
		require.Empty(t, cache(filepath.Join(dir, fmt.Sprint(i))).wrong(t))
	}
	left, err := os.ReadDir(filepath.Join(dir, "cache/content/ingest"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// killBuildKit kills the process that has its state in a cache, and reports whether
// there was one.
func (c cache) killBuildKit(t *testing.T) bool {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		line, _ := os.ReadFile(file)
		if !strings.HasPrefix(string(line), "lucidbase-buildkit\x00") || !strings.Contains(string(line), string(c)+"/") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		require.NoError(t, err)
		return syscall.Kill(pid, syscall.SIGKILL) == nil
	}
	return false
}

// A build that BuildKit is killed under is run again by another, and nobody notices
// but in a line.
func TestBuildKitIsKilled(t *testing.T) {
	requireEngine(t)
	whole := cache(t.TempDir())
	start := time.Now()
	want, _, err := whole.build(t.Context())
	require.NoError(t, err)
	took := time.Since(start)
	r, noticed := rand.New(rand.NewPCG(1, 2)), 0
	for range 20 {
		c := cache(t.TempDir())
		after := time.Duration(r.Int64N(int64(took)))
		killed := make(chan bool)
		go func() {
			time.Sleep(after)
			killed <- c.killBuildKit(t)
		}()
		got, said, err := c.build(t.Context())
		require.NoError(t, err, "killed after %s: %s", after, said)
		require.Equal(t, want, got)
		require.Empty(t, c.wrong(t))
		<-killed
		if strings.Contains(said, "building again: BuildKit's process was killed") {
			noticed++
		}
	}
	require.Positive(t, noticed, "no build was hit")
}

// One that is killed each time is an error that says so, the third time.
func TestBuildKitIsAlwaysKilled(t *testing.T) {
	requireEngine(t)
	c := cache(t.TempDir())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for t.Context().Err() == nil {
			c.killBuildKit(t)
		}
	}()
	_, said, err := c.build(t.Context())
	require.ErrorContains(t, err, "killed")
	t.Log(said, err)
}
