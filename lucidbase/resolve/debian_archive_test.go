package resolve

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

var testNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// The keys of the test archives; a stranger's key signs what must be refused.
var testKeys = sync.OnceValue(func() map[string]archiveKey {
	keys := map[string]archiveKey{}
	for _, name := range []string{"debian", "debian-security", "stranger"} {
		e, err := openpgp.NewEntity(name, "", "", &packet.Config{
			Algorithm: packet.PubKeyAlgoEdDSA,
			Time:      func() time.Time { return testNow.AddDate(-1, 0, 0) },
		})
		if err != nil {
			panic(err)
		}
		keys[name] = archiveKey{e}
	}
	return keys
})

// testArchives is a Source that holds small archives, by archive and path.
type testArchives struct {
	mu    sync.Mutex
	files map[string][]byte
	asked []string
}

func (a *testArchives) Fetch(_ context.Context, archive, path string, limit int64, verify func([]byte) error) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, path)
	data, ok := a.files[archive+"/"+path]
	if !ok {
		return nil, fmt.Errorf("fetching %s: %w", path, fs.ErrNotExist)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("fetching %s: over %d bytes", path, limit)
	}
	if err := verify(data); err != nil {
		return nil, fmt.Errorf("fetching %s: %w", path, err)
	}
	return data, nil
}

// suite is a suite of a test archive. packages holds stanzas as stanza makes them.
type suite struct {
	archive, name string
	fields        map[string]string // replaces or, if empty, removes fields
	packages      []string
	signers       []string
}

// stanza describes a package; more are further lines "Field: value". Any name
// has the same file.
func stanza(name, version string, more ...string) string {
	s := "Package: " + name + "\nVersion: " + version + "\nArchitecture: all\n"
	s += "Filename: pool/" + name + "_" + version + ".deb\nSize: 7\n"
	s += fmt.Sprintf("SHA256: %x\n", sha256.Sum256([]byte(name+version)))
	return s + strings.Join(append(more, ""), "\n")
}

func newArchives(t testing.TB, suites ...suite) *testArchives {
	a := &testArchives{files: map[string][]byte{}}
	for _, s := range suites {
		a.add(t, s)
	}
	return a
}

// add writes a suite with an index for each of both platforms.
func (a *testArchives) add(t testing.TB, s suite) {
	dir := s.archive + "/dists/" + s.name + "/"
	var sums strings.Builder
	for _, arch := range []string{"amd64", "arm64"} {
		index := pack(t, strings.Join(s.packages, "\n"))
		path := "main/binary-" + arch + "/Packages.gz"
		sum := fmt.Sprintf("%x", sha256.Sum256(index))
		fmt.Fprintf(&sums, " %s %d %s\n", sum, len(index), path)
		a.files[dir+path] = index
		a.files[dir+"main/binary-"+arch+"/by-hash/SHA256/"+sum] = index
	}
	fields := map[string]string{
		"Codename": s.name, "Suite": "oldstable", "Date": "Mon, 23 Nov 2026 10:00:00 UTC",
		"Acquire-By-Hash": "yes", "SHA256": "\n" + strings.TrimSuffix(sums.String(), "\n"),
	}
	maps.Copy(fields, s.fields)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name] != "" {
			fmt.Fprintf(&text, "%s: %s\n", name, fields[name])
		}
	}
	signers := s.signers
	if signers == nil {
		signers = []string{s.archive}
	}
	a.files[dir+"InRelease"] = sign(t, text.String(), nil, signers...)
}

// change edits every file of the archives whose path has that end.
func (a *testArchives) change(t testing.TB, end string, edit func([]byte) []byte) {
	changed := false
	for path, data := range a.files {
		if strings.HasSuffix(path, end) || strings.Contains(path, end+"/") {
			a.files[path] = edit(bytes.Clone(data))
			changed = true
		}
	}
	require.True(t, changed, end)
}

func sign(t testing.TB, text string, config *packet.Config, signers ...string) []byte {
	if config == nil {
		config = &packet.Config{Time: func() time.Time { return testNow.Add(-time.Hour) }}
	}
	var private []*packet.PrivateKey
	for _, name := range signers {
		private = append(private, testKeys()[name].entity.PrivateKey)
	}
	var b bytes.Buffer
	w, err := clearsign.EncodeMulti(&b, private, config)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, errors.Join(err, w.Close()))
	return append(b.Bytes(), '\n')
}

func pack(t testing.TB, text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

// resolveFrom resolves in from the test archives with the test keys.
func resolveFrom(a Fetcher, in DebianList) (lock.Debian, error) {
	r := testResolver(a)
	r.in = in
	return r.resolve(context.Background(), []string{"linux/amd64", "linux/arm64"})
}

// testResolver knows the keys of the test archives.
func testResolver(a Fetcher) debianResolver {
	return debianResolver{source: a, now: testNow, keys: map[string][]archiveKey{
		"debian":          {testKeys()["debian"]},
		"debian-security": {testKeys()["debian-security"]},
	}}
}
