package embedded

import (
	"archive/zip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// buildKits lists the ids of BuildKit's processes on a state directory.
func buildKits(t *testing.T, dir string) (pids []int) {
	t.Helper()
	for _, file := range processes(t, childName) {
		line, _ := os.ReadFile(file)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		require.NoError(t, err)
		if strings.Contains(string(line), dir+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Whoever started BuildKit may be killed: it goes on for the others.
func TestStarterIsKilled(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	starter := startJob(t, job{StateDir: dir, Do: "hold"}, nil)
	starter.expect(t, "open")
	pids := buildKits(t, dir)
	require.Len(t, pids, 1)

	b := open(t, dir)
	mark := "mark-" + filepath.Base(dir)
	sleeping, ended := make(chan string, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, err := build(ctx, b, f, step(f, nil, "sleep", mark), func(line string) { sleeping <- line })
		ended <- err
	}()
	require.Equal(t, "sleeping", <-sleeping)
	require.NoError(t, starter.Process.Kill())
	_ = starter.Wait()
	_, err := build(t.Context(), b, f, modes(f), nil)
	require.NoError(t, err)
	require.Len(t, processes(t, mark), 1, "the step that ran goes on")
	require.Equal(t, pids, buildKits(t, dir))
	cancel()
	require.Error(t, <-ended)
	require.NoError(t, b.Close())
	requireNothingLeft(t, dir, mark)
	require.Empty(t, buildKits(t, dir))
}

// Ten processes at once build what each needs, in one BuildKit.
func TestTenProcessesOneDigest(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	var jobs []*child
	for range 10 {
		jobs = append(jobs, startJob(t, job{StateDir: dir, Fixture: f.copy(t), Do: "modes"}, nil))
	}
	var results []result
	for _, j := range jobs {
		var got result
		require.NoError(t, json.Unmarshal([]byte(j.expect(t, "{")), &got))
		results = append(results, got)
	}
	require.Len(t, buildKits(t, dir), 1)
	for _, j := range jobs {
		require.NoError(t, j.stdin.Close())
		require.NoError(t, j.Wait())
		require.Equal(t, results[0].Layers, results[len(results)-1].Layers)
		results = results[:len(results)-1]
	}
	requireNothingLeft(t, dir, dir+"/")
}

// Clients whose BuildKit is killed know it, and another is there for them.
func TestBuildKitIsKilled(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	clients := []engine.Backend{open(t, dir), open(t, dir)}
	mark := "mark-" + filepath.Base(dir)
	sleeping, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		_, err := build(t.Context(), clients[1], f, step(f, nil, "sleep", mark), func(line string) { sleeping <- line })
		ended <- err
	}()
	require.Equal(t, "sleeping", <-sleeping)
	pids := buildKits(t, dir)
	require.Len(t, pids, 1)
	p, err := os.FindProcess(pids[0])
	require.NoError(t, err)
	require.NoError(t, p.Kill())
	err = <-ended
	require.Error(t, err)
	for _, b := range clients {
		require.EqualError(t, b.Broken(err), "BuildKit's process was killed, by somebody or for want of memory")
		_, err := b.Dial(t.Context())
		require.ErrorContains(t, err, "reaching BuildKit's process")
		require.NoError(t, b.Close())
	}
	requireNothingLeft(t, dir, mark)
	b := open(t, dir)
	_, err = build(t.Context(), b, f, modes(f), nil)
	require.NoError(t, err)
}

// State that a build finds damaged is made again when no build uses it. Until then
// those that run go on; who wants to begin one waits.
func TestDamageIsRepairedForAll(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	busy, finder := open(t, dir), open(t, dir)
	mark := "mark-" + filepath.Base(dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sleeping, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		_, err := build(ctx, busy, f, step(f, nil, "sleep", mark), func(line string) { sleeping <- line })
		ended <- err
	}()
	require.Equal(t, "sleeping", <-sleeping)
	require.ErrorIs(t, finder.Broken(context.DeadlineExceeded), nil)
	text := filepath.Join(dir, "uid-0", "overlayfs/x") + ": structure needs cleaning"
	require.ErrorIs(t, finder.Broken(&os.PathError{Op: "read", Path: text, Err: os.ErrInvalid}), errDamaged)

	_, err := build(t.Context(), busy, f, llb.Scratch().File(llb.Mkfile("/file", 0o644, nil)), nil)
	require.Error(t, err)
	require.ErrorContains(t, busy.Broken(err), "structure needs cleaning")
	require.NoError(t, finder.Close())
	notes := make(chan string, 3)
	opened := make(chan error, 1)
	go func() {
		b, err := Open(t.Context(), engine.BackendConfig{StateDir: dir, Notify: func(line string) { notes <- line }})
		if err == nil {
			_, err = build(t.Context(), b, f, modes(f), nil)
		}
		if err == nil {
			err = b.Close()
		}
		opened <- err
	}()
	require.Contains(t, <-notes, "waiting for process ")
	require.Len(t, processes(t, mark), 1, "the step that ran goes on")
	cancel()
	require.Error(t, <-ended)
	require.Contains(t, <-notes, "is made again: read "+text)
	require.NoError(t, <-opened)
	require.NoError(t, busy.Close())
}

// A socket's name may have 108 bytes; a cache's path more.
func TestSocketOfALongPath(t *testing.T) {
	requireEngine(t)
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	first, second := open(t, dir), open(t, dir)
	require.NoError(t, first.Close())
	c, err := connect(t.Context(), second)
	require.NoError(t, err)
	_, err = c.ListWorkers(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

// What an older version, a kill or a person left in the way is no error.
func TestLeftovers(t *testing.T) {
	requireEngine(t)
	for name, leave := range map[string]func(root string) error{
		"nothing": func(string) error { return nil },
		// What BuildKit left that ran within the program itself, as root.
		"state of the first version": func(root string) error {
			first, err := zip.OpenReader("testdata/first-state.zip")
			if err != nil {
				return err
			}
			defer first.Close()
			return os.CopyFS(root, first)
		},
		"socket of a dead holder": func(root string) error {
			f, err := listen(root)
			if err != nil {
				return err
			}
			return f.Close()
		},
		"file for a socket":      func(root string) error { return os.WriteFile(filepath.Join(root, socketFile), nil, 0) },
		"directory for a socket": func(root string) error { return os.MkdirAll(filepath.Join(root, socketFile, "x"), 0) },
		"directory for a lock":   func(root string) error { return os.MkdirAll(filepath.Join(root, lockFile, "x"), 0) },
		"directory for stderr":   func(root string) error { return os.MkdirAll(filepath.Join(root, stderrFile, "x"), 0) },
		"link for stderr":        func(root string) error { return os.Symlink("/nonexistent/x", filepath.Join(root, stderrFile)) },
		"directory for damage":   func(root string) error { return os.MkdirAll(filepath.Join(root, damagedFile, "x"), 0) },
		"file for memory":        func(root string) error { return os.WriteFile(memoryDir(root), nil, 0) },
		"owner that is none":     func(root string) error { return os.Mkdir(filepath.Join(root, ownerFile), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			root, err := stateRoot(dir)
			require.NoError(t, err)
			require.NoError(t, leave(root))
			b := open(t, dir)
			c, err := connect(t.Context(), b)
			require.NoError(t, err)
			_, err = c.ListWorkers(t.Context())
			require.NoError(t, err)
			require.NoError(t, c.Close())
			require.NoError(t, b.Close())
			require.NoFileExists(t, filepath.Join(root, openFile), "it was not busy until it was killed")
		})
	}
}
