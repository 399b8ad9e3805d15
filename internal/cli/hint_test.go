package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/localdir"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// nobody is an address at which nobody listens.
const nobody = "127.0.0.1:1"

// download is the error of a package that a mirror does not have right.
func download(t *testing.T, mirror string) error {
	t.Helper()
	a := &debian.Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {mirror}}}
	_, err := a.File(t.Context(), lock.Package{
		Name: "tini", Version: "1", Archive: "debian", Path: "tini.deb", Size: 4, SHA256: strings.Repeat("0", 64),
	}, nil)
	return err
}

func serve(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// latest is the error of looking up an image's tag.
func latest(t *testing.T, registry string) error {
	t.Helper()
	m := &alpine.Registries{Cache: t.TempDir()}
	_, err := m.Latest(t.Context(), lock.Upstream{Reference: registry + "/library/python:3.11"})
	return err
}

// Each hint is found by the error that the packages return, not by its words.
func TestHint(t *testing.T) {
	unresolved := func() error {
		locks, err := lock.Default()
		require.NoError(t, err)
		pinned := *locks
		pinned.Alpine = locks.Alpine.Pin()
		_, err = variants.Alpine{Locks: &pinned}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
		return err
	}
	oldLock := func() error {
		_, err := lock.Read(fstest.MapFS{"r.lock.txt": {Data: []byte("idna==3.10 --hash=sha256:" + strings.Repeat("0", 64) + "\n")}}, "r.lock.txt")
		return err
	}
	leadsOut := func() error {
		_, err := localdir.Read(t.Context(), lucidbase.Local{FS: fstest.MapFS{"out": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}}})
		return fmt.Errorf("reading x: %w", err)
	}
	silent := func() error {
		_, err := (&http.Client{}).Get("http://" + nobody) //nolint:noctx // it fails at once
		return err
	}
	broken := func(rules ...string) error {
		var r verify.Result
		for _, rule := range rules {
			r.Findings = append(r.Findings, verify.Finding{Rule: rule, Path: "/x", Found: "found", Fix: "mend " + rule})
		}
		return &engine.ContractError{Results: []engine.Verified{{Name: "x", Result: r}}}
	}
	for _, c := range []struct {
		name string
		err  error
		hint string
	}{
		{"gone", download(t, serve(t, http.StatusNotFound, "")), "build --relock"},
		{"another file", download(t, serve(t, http.StatusOK, "evil")), "--debian-mirror"},
		{"no mirror answers", download(t, "http://"+nobody), "check the network"},
		{"no registry", latest(t, nobody), "--image-mirror"},
		{"registry wants a login", latest(t, strings.TrimPrefix(serve(t, http.StatusUnauthorized, ""), "http://")), "docker login"},
		{"unresolved image", unresolved(), "where the image can be reached"},
		{"old lock", oldLock(), "lucidbase lock -r LIST"},
		{"contract", broken("a", "b", "a"), "pushed; a: mend a; b: mend b"},
		{"contract, many rules", broken("a", "b", "c", "d", "e"), "c: mend c; what the others want is in 'lucidbase verify --rules'"},
		{"no merge", fmt.Errorf("building: %w", engine.ErrNoMerge), "containerd image store"},
		{"silent cache", fmt.Errorf("BuildKit: %w", engine.ErrSilentCache), "build without --cache-from"},
		{"too old", &engine.ConnectError{Name: "Docker", Err: engine.ErrTooOld}, "update that Docker"},
		{"classic store", &engine.ConnectError{Name: "Docker", Err: engine.ErrNoMerge}, "containerd image store"},
		{"socket of others", &engine.ConnectError{Name: "Docker", Err: fs.ErrPermission}, "join its group"},
		{"engine with another certificate", &engine.ConnectError{Name: "BuildKit", Err: errors.New("tls: failed to verify certificate: x509: certificate is valid for a, not b")}, "check the name in the address"},
		{"engine that wants TLS", &engine.ConnectError{Name: "BuildKit", Err: engine.ErrWantsTLS}, "LUCID_ENGINE_CERTS"},
		{"nobody answers", &engine.ConnectError{Name: "Docker", Err: fs.ErrNotExist}, "check --engine, BUILDKIT_HOST"},
		{"full disk in a step", &engine.StepError{Step: "install", Reason: "OSError: [Errno 28] No space left on device"}, "prune --all"},
		{"full disk of a node", &engine.StepError{Step: "install", Reason: "no space left on device", FullNode: "BuildKit at tcp://b:1234"}, "where that BuildKit is"},
		{"no network in a step", &engine.StepError{Step: "install", Reason: "tcp connect error: Connection refused (os error 111)"}, "check the network"},
		{"other step", &engine.StepError{Step: "install", Reason: "it is broken"}, ""},
		{"index does not answer", &resolve.NoSolutionError{Said: "error: Request failed after 3 retries in 10.6s"}, "check the network"},
		{"no solution", &resolve.NoSolutionError{Said: "No solution found"}, ""},
		{"push, not logged in", &engine.PushError{Err: &transport.Error{StatusCode: http.StatusForbidden}}, "log in"},
		{"push, full disk", &engine.PushError{Err: syscall.ENOSPC}, "free space"},
		{"push, nobody there", &engine.PushError{Err: silent()}, "check --registry, the network"},
		{"push, no registry", &engine.PushError{Err: fmt.Errorf("latest: %w", engine.ErrImpostor)}, "in the registry's place"},
		{"link out of the source", leadsOut(), "leave the link out with exclude"},
		{"package that no image may have", fmt.Errorf("adding: %w", &debian.PackageError{Package: "mount", Err: errors.New("mount: is setuid")}), "leave that package out"},
		{"package, full disk", fmt.Errorf("adding: %w", &debian.PackageError{Package: "make", Err: &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}), "free space"},
		{"package, read-only directory", &debian.PackageError{Package: "make", Err: &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}}, "choose a directory"},
		{"package, nobody there", &debian.PackageError{Package: "make", Err: silent()}, "check the network"},
		{"list", listError{error: errors.New("line 1")}, "--suggest"},
		{"list with suggestion", listError{error: errors.New("line 1"), suggested: true}, ""},
		{"late list", listError{error: errors.New("line 1"), late: true}, "--explain-timeout"},
		{"something else", errors.New("connecting to BuildKit at x: no space left on device, sends another file"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Error(t, c.err)
			if c.hint == "" {
				require.Empty(t, hint(c.err), c.err)
				return
			}
			require.Contains(t, hint(c.err), c.hint, c.err)
		})
	}
}

// What a command line leads to, from its error to what is printed.
func TestHintOfCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	build := func(args ...string) []string {
		return append([]string{"build", "python-base", "--output", t.TempDir(), "--cache-dir", t.TempDir(), "--engine", "unix:///nonexistent/socket"}, args...)
	}
	for _, c := range []struct {
		name string
		args []string
		hint string
	}{
		{"usage", []string{"build", "--no-such-flag"}, "see 'lucidbase --help'"},
		{"engine", build(), "check --engine, BUILDKIT_HOST"},
		{"engine that is no address", build("--engine", "tpc://build:1234"), "see 'lucidbase --help'"},
		{"no certificates of an engine", build("--engine", "tcp://127.0.0.1:1?cert="+file+"-missing"), "?cert=DIR or LUCID_ENGINE_CERTS"},
		{"cache in the image", build("--cache-to", "type=inline"), "changes its digest"},
		{"cache without a place", build("--cache-from", "type=local"), "no src="},
		{"CA bundle that is missing", build("--ca-bundle", file+"-missing"), "check --ca-bundle"},
		{"CA bundle without certificate", build("--ca-bundle", file), "check --ca-bundle"},
		{"CA bundle of verify", []string{"verify", nobody + "/x", "--ca-bundle", file}, "check --ca-bundle"},
		{"cache below a file", build("--cache-dir", filepath.Join(file, "cache")), "choose a directory"},
		{"registry that nobody has", []string{"verify", nobody + "/x"}, "check the image's name, the network"},
		{"image to run that nobody has", []string{"run", nobody + "/x"}, "check the image's name, the network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			status := Run(context.Background(), c.args, Streams{Out: &out, Err: &errOut, Getenv: os.Getenv})
			require.NotZero(t, status)
			require.Contains(t, errOut.String(), c.hint)
		})
	}
}
