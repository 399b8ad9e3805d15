package debian

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var (
	goodFile    = []byte("the package's own bytes")
	goodPackage = debtest.Locked("one", "1", "debian", goodFile)
)

// server serves requests with h and counts them.
func server(t *testing.T, h http.HandlerFunc) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

func serve(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// truncated announces more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "23")
	_, _ = w.Write(goodFile[:5])
}

func sendsMore(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write(make([]byte, 100))
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 1<<10)); err != nil {
			return
		}
	}
}

// hangUp ends the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// silent sends a start and then nothing until the client gives up.
func silent(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write(goodFile[:5])
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// mute sends nothing at all.
func mute(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func suitesOf(date time.Time) []lock.Suite {
	return []lock.Suite{
		{Archive: "debian", Name: "bookworm", Date: date.Add(-time.Hour)},
		{Archive: "debian", Name: "bookworm-updates", Date: date},
		{Archive: "debian-security", Name: "bookworm-security", Date: date.Add(time.Hour)},
	}
}

func TestFileComesFromTheNextMirror(t *testing.T) {
	for name, c := range map[string]struct {
		first http.HandlerFunc
		want  string // in the error when there is no other mirror
	}{
		"lies":           {serve([]byte("THE PACKAGE'S OWN BYTES")), "sends another file: its content is sha256:"},
		"sends less":     {serve([]byte("short")), "sends another file: its content is 5 bytes, not 23"},
		"sends more":     {sendsMore, "sends 100 bytes, not 23 or less"},
		"sends on":       {endless, "sends more than 23 bytes"},
		"ends early":     {truncated, "after 5 bytes: unexpected EOF"},
		"hangs up":       {hangUp, "no answer: EOF"},
		"falls silent":   {silent, "no answer after 5 bytes"},
		"says nothing":   {mute, "no answer"},
		"has it no more": {status(http.StatusNotFound), "404 Not Found"},
		"is broken":      {status(http.StatusInternalServerError), "500 Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, asked := server(t, c.first)
			good, _ := server(t, serve(goodFile))
			a := &Archives{Cache: t.TempDir(), stall: time.Second, Mirrors: map[string][]string{"debian": {bad, good + "/base/"}}}
			path, err := a.File(t.Context(), goodPackage, nil)
			require.NoError(t, err)
			require.EqualValues(t, 1, asked.Load())
			requireContent(t, path, goodFile)

			a = &Archives{Cache: t.TempDir(), stall: time.Second, Mirrors: map[string][]string{"debian": {bad}}}
			_, err = a.File(t.Context(), goodPackage, nil)
			require.ErrorContains(t, err, "downloading one 1: pool/main/one_1.deb: ")
			require.ErrorContains(t, err, bad+": ")
			require.ErrorContains(t, err, c.want)
			require.Equal(t, name == "has it no more", errors.Is(err, ErrGone))
			require.Equal(t, strings.Contains(c.want, "sends another file"), errors.Is(err, ErrAltered))
			require.Equal(t, strings.Contains(c.want, "no answer"), errors.Is(err, ErrNoAnswer))
			require.NotContains(t, err.Error(), "\n")
			require.NoDirExists(t, filepath.Join(a.Cache, "sha256"), "something was stored")
		})
	}
}

func requireContent(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestFileComesFromTheSnapshotArchive(t *testing.T) {
	var asked string
	snapshot, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		_, _ = w.Write(goodFile)
	})
	mirror, _ := server(t, status(http.StatusNotFound))
	date := time.Date(2026, 11, 20, 8, 17, 38, 0, time.FixedZone("", 3600))
	for name, mirrors := range map[string][]string{"superseded": {mirror}, "no mirror": nil} {
		t.Run(name, func(t *testing.T) {
			a := &Archives{Cache: t.TempDir(), snapshot: snapshot, Mirrors: map[string][]string{"debian": mirrors}}
			_, err := a.File(t.Context(), goodPackage, suitesOf(date))
			require.NoError(t, err)
			require.Equal(t, "/debian/20261120T071738Z/pool/main/one_1.deb", asked)
		})
	}
}

func TestGone(t *testing.T) {
	lacks, _ := server(t, status(http.StatusNotFound))
	broken, _ := server(t, status(http.StatusBadGateway))
	off := httptest.NewServer(nil)
	off.Close()
	for name, c := range map[string]struct {
		mirrors  []string
		snapshot string
		gone     bool
	}{
		"nowhere":                      {[]string{lacks}, lacks, true},
		"snapshot archive unreachable": {[]string{lacks}, off.URL, true},
		"one mirror unreachable":       {[]string{off.URL, lacks}, lacks, true},
		"no mirror, not in snapshot":   {nil, lacks, true},
		"no network":                   {[]string{off.URL, off.URL + "/2"}, off.URL, false},
		"mirrors unreachable":          {[]string{off.URL}, lacks, false},
		"mirror broken":                {[]string{broken}, lacks, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Archives{Cache: t.TempDir(), snapshot: c.snapshot, Mirrors: map[string][]string{"debian": c.mirrors}}
			_, err := a.File(t.Context(), goodPackage, suitesOf(time.Now()))
			require.Error(t, err)
			require.Equal(t, c.gone, errors.Is(err, ErrGone), err.Error())
			for _, base := range append(c.mirrors, c.snapshot) {
				require.ErrorContains(t, err, base)
			}
		})
	}
}

func TestNoMirrorAndNoDate(t *testing.T) {
	_, err := (&Archives{Cache: t.TempDir()}).File(t.Context(), goodPackage, nil)
	require.EqualError(t, err, "downloading one 1: pool/main/one_1.deb: no mirror is configured and the lock has no date")
}

func TestMirrorThatDoesNotAnswerIsAskedLast(t *testing.T) {
	slow, slowAsked := server(t, mute)
	good, _ := server(t, serve(goodFile))
	a := &Archives{stall: time.Second, Mirrors: map[string][]string{"debian": {slow, good}}}
	for range 5 {
		a.Cache = t.TempDir()
		_, err := a.File(t.Context(), goodPackage, nil)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, slowAsked.Load())
}

func TestMirrorInCircles(t *testing.T) {
	circles, asked := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	good, _ := server(t, serve(goodFile))
	a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {circles, good}}}
	_, err := a.File(t.Context(), goodPackage, nil)
	require.NoError(t, err)
	require.EqualValues(t, 10, asked.Load())
}

// A mirror's password is for that mirror, wherever it redirects to.
func TestPasswordStaysWithItsMirror(t *testing.T) {
	elsewhere, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || strings.Contains(r.Header.Get("Referer"), "secret") {
			t.Error("the password went to another host")
		}
		_, _ = w.Write(goodFile)
	})
	mirror, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		// Another name for the same machine.
		http.Redirect(w, r, strings.Replace(elsewhere, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusFound)
	})
	a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {strings.Replace(mirror, "http://", "http://ann:secret@", 1)}}}
	_, err := a.File(t.Context(), goodPackage, nil)
	require.NoError(t, err)
}

func TestDownloadIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	slow, _ := server(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	other, otherAsked := server(t, serve(goodFile))
	a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {slow, other}}}
	_, err := a.File(ctx, goodPackage, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, otherAsked.Load())
}

func TestPasswordIsNotShown(t *testing.T) {
	mirror, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	})
	mirror = strings.Replace(mirror, "http://", "http://user:hunter2@", 1)
	a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {mirror}}}
	_, err := a.File(t.Context(), goodPackage, nil)
	require.ErrorContains(t, err, "403 Forbidden")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestFetch(t *testing.T) {
	old, _ := server(t, serve([]byte("old")))
	fresh, _ := server(t, serve([]byte("new")))
	big, _ := server(t, serve([]byte("much too big")))
	errOld := errors.New("is of yesterday")
	verify := func(data []byte) error {
		if string(data) == "old" {
			return errOld
		}
		return nil
	}
	a := &Archives{Mirrors: map[string][]string{"debian": {big, old, fresh}, "debian-security": {big, old}}}
	data, err := a.Fetch(t.Context(), "debian", "dists/bookworm/InRelease", 3, verify)
	require.NoError(t, err)
	require.Equal(t, "new", string(data))

	_, err = a.Fetch(t.Context(), "debian-security", "dists/x/InRelease", 3, verify)
	require.EqualError(t, err, "fetching dists/x/InRelease: "+big+": sends 12 bytes, not 3 or less; "+old+": is of yesterday")

	_, err = a.Fetch(t.Context(), "other", "dists/x/InRelease", 3, verify)
	require.EqualError(t, err, "fetching dists/x/InRelease: no mirror of archive other is configured")
}

func TestFetchOfAnEmptyFile(t *testing.T) {
	empty, _ := server(t, serve(nil))
	a := &Archives{Mirrors: map[string][]string{"debian": {empty}}}
	data, err := a.Fetch(t.Context(), "debian", "Packages", 10, func([]byte) error { return nil })
	require.NoError(t, err)
	require.Empty(t, data)
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(serve(goodFile))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	mirrors := map[string][]string{"debian": {s.URL}}
	_, err := (&Archives{Cache: t.TempDir(), Mirrors: mirrors}).File(t.Context(), goodPackage, nil)
	require.ErrorContains(t, err, "certificate")
	_, err = (&Archives{Cache: t.TempDir(), Mirrors: mirrors, TLS: &tls.Config{RootCAs: pool}}).File(t.Context(), goodPackage, nil)
	require.NoError(t, err)
}

func TestLayerDownloadsWhatIsMissing(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, supply.Rootfs, base())
	files := map[string][]byte{}
	for _, p := range in.Layer.Packages {
		data, err := os.ReadFile(filepath.Join(a.Cache, "sha256", p.SHA256))
		require.NoError(t, err)
		files["/"+p.Archive+"/"+p.Path] = data
	}
	mirror, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		if files[r.URL.Path] == nil {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(files[r.URL.Path])
	})
	want, err := a.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)

	cold := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {mirror + "/debian"}, "debian-security": {mirror + "/debian-security"}}}
	var group sync.WaitGroup
	for range 8 { // as processes that share a cache
		group.Go(func() {
			got, err := cold.Layer(context.Background(), in, io.Discard)
			if err != nil || got.Digest != want.Digest {
				t.Errorf("got %s, %v", got.Digest, err)
			}
		})
	}
	group.Wait()
	before := asked.Load()
	_, err = cold.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)
	require.Equal(t, before, asked.Load(), "cached files were asked for again")
}
