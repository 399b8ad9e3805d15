package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/bklog"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

func open(t *testing.T, stateDir string) engine.Backend {
	t.Helper()
	b, err := Open(t.Context(), engine.BackendConfig{StateDir: stateDir, Warn: func(line string) { t.Log(line) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestBuildTwice(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	state := step(f, nil, "write", "/out/hello", "world")

	b := open(t, dir)
	first, err := build(t.Context(), b, f, state, nil)
	require.NoError(t, err)
	require.Equal(t, "644 0:0 /out/hello world", first.find("/out/hello"))
	require.Empty(t, first.Cached)
	require.NoError(t, b.Close())

	t.Setenv("PATH", "/nonexistent") // what is cached needs no runc
	b = open(t, dir)
	second, err := build(t.Context(), b, f, state, nil)
	require.NoError(t, err)
	require.Equal(t, first.Entries, second.Entries)
	require.Contains(t, second.Cached, "write /out/hello world")

	third, err := build(t.Context(), b, f, state.File(llb.Mkfile("/more", 0o644, []byte("text"))), nil)
	require.NoError(t, err, "the second engine writes where the first did")
	require.Equal(t, "644 0:0 /more text", third.find("/more"))
}

func TestWorkerIsNative(t *testing.T) {
	requireEngine(t)
	c, err := connect(t.Context(), open(t, t.TempDir()))
	require.NoError(t, err)
	defer c.Close()
	workers, err := c.ListWorkers(t.Context())
	require.NoError(t, err)
	require.Len(t, workers, 1)
	require.Len(t, workers[0].Platforms, 1)
}

func TestNoRunc(t *testing.T) {
	requireEngine(t)
	f := newFixture(t)
	t.Setenv("PATH", "/nonexistent")
	b := open(t, t.TempDir())
	_, err := build(t.Context(), b, f, step(f, nil, "write", "/file", ""), nil)
	require.ErrorContains(t, err, "runc not found on PATH: install it (apt-get install runc)")
	_, err = build(t.Context(), b, f, llb.Scratch().File(llb.Mkfile("/file", 0o644, nil)), nil)
	require.NoError(t, err, "a build without a process needs no runc")
}

func TestNetworkModes(t *testing.T) {
	requireEngine(t)
	f, b := newFixture(t), open(t, t.TempDir())
	interfaces := func(mode pb.NetMode) (*result, error) {
		return build(t.Context(), b, f, step(f, []llb.RunOption{llb.Network(mode)}, "interfaces", "/interfaces"), nil)
	}
	shared, err := interfaces(llb.NetModeSandbox)
	require.NoError(t, err)
	require.NotEqual(t, "644 0:0 /interfaces lo", shared.find("/interfaces"), "a step shares the machine's network")
	none, err := interfaces(llb.NetModeNone)
	require.NoError(t, err)
	require.Equal(t, "644 0:0 /interfaces lo", none.find("/interfaces"))
	_, err = interfaces(llb.NetModeHost)
	require.ErrorContains(t, err, "network.host is not allowed")
}

func TestResultDoesNotDependOnUmask(t *testing.T) {
	requireEngine(t)
	before := syscall.Umask(0o022)
	defer syscall.Umask(before)
	f := newFixture(t)
	var results []*result
	for _, mask := range []int{0o022, 0o077} {
		syscall.Umask(mask)
		b := open(t, t.TempDir())
		require.Equal(t, mask, syscall.Umask(mask), "the program's umask is its own")
		res, err := build(t.Context(), b, f, modes(f), nil)
		require.NoError(t, err)
		require.Equal(t, mask, syscall.Umask(mask), "the program's umask is its own")
		require.NoError(t, b.Close())
		results = append(results, res)
	}
	require.Equal(t, results[0].Entries, results[1].Entries)
	require.Equal(t, results[0].Layers, results[1].Layers)
	require.Equal(t, "777 0:0 /all ", results[1].find("/all"))
	require.Equal(t, "777 0:0 /all/deep/er ", results[1].find("/all/deep/er"))
	require.Equal(t, "666 0:0 /all/file text", results[1].find("/all/file"))
	require.Equal(t, "644 0:0 /all/new/written text", results[1].find("/all/new/written"), "a step's own umask is 022")
	require.Equal(t, "755 0:0 /all/file.d ", results[1].find("/all/file.d"))
}

func TestCancelLeavesNothing(t *testing.T) {
	requireEngine(t)
	for _, how := range []string{"context", "close"} {
		t.Run(how, func(t *testing.T) {
			dir, f := t.TempDir(), newFixture(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := open(t, dir)
			mark := "mark-" + filepath.Base(dir) + how
			stop := func(line string) {
				require.Equal(t, "sleeping", line)
				require.Len(t, processes(t, mark), 1)
				if how == "context" {
					cancel()
				} else {
					go b.Close()
				}
			}
			_, err := build(ctx, b, f, step(f, nil, "sleep", mark), stop)
			require.Error(t, err)
			require.NoError(t, b.Close())
			requireNothingLeft(t, dir, mark)
			open(t, dir)
		})
	}
}

// processes lists those whose command line holds mark.
func processes(t *testing.T, mark string) []string {
	t.Helper()
	return processesWith(t, "cmdline", mark)
}

// processesWith lists those of which a file in /proc holds mark.
func processesWith(t *testing.T, name, mark string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/" + name)
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if line, _ := os.ReadFile(file); strings.Contains(string(line), mark) {
			found = append(found, file)
		}
	}
	return found
}

// requireNothingLeft waits until nothing is left of an engine: the kernel takes
// its time to end a namespace.
func requireNothingLeft(t *testing.T, dir, mark string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return len(processes(t, mark)) == 0 && len(mounts(t, dir)) == 0
	}, 10*time.Second, 10*time.Millisecond, "processes %s, mounts %s", processes(t, mark), mounts(t, dir))
	left, err := os.ReadDir(memoryDir(filepath.Join(dir, "uid-0")))
	require.NoError(t, err)
	require.Empty(t, left)
}

// mounts lists those that name dir, in whatever process's namespace.
func mounts(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		text, _ := os.ReadFile(file) // of a process that may be gone
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, dir+"/") {
				found = append(found, file+": "+line)
			}
		}
	}
	return found
}

func TestWarnings(t *testing.T) {
	var got []string
	warnings.passTo(func(line string) { got = append(got, line) })
	bklog.L.Warn("something\nto read")
	bklog.G(t.Context()).WithError(os.ErrNotExist).Warn("something")
	bklog.L.Warn("no trace recorder found, skipping")
	bklog.L.Info("nothing")
	warnings.passTo(nil)
	bklog.L.Warn("nobody there")
	require.Equal(t, []string{"BuildKit: something to read", "BuildKit: something: file does not exist"}, got)
	require.NotSame(t, logrus.StandardLogger(), bklog.L.Logger, "the program's own logger is left alone")
}
