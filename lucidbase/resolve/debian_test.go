package resolve

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

var testInput = DebianList{
	Suites: []ListedSuite{
		{Archive: "debian", Name: "bookworm"},
		{Archive: "debian", Name: "bookworm-updates"},
		{Archive: "debian-security", Name: "bookworm-security"},
	},
	Rootfs:  []string{"zlib1g", "libc6"},
	Builder: []string{"pip"},
}

func testSuites() []suite {
	return []suite{
		{archive: "debian", name: "bookworm", packages: []string{
			stanza("libc6", "2.36-9"),
			stanza("zlib1g", "1:1.2", "Depends: libc6 (>= 2.14)"),
			stanza("pip", "23.0", "Depends: zlib1g"),
			stanza("other", "1"),
		}},
		{archive: "debian", name: "bookworm-updates", packages: []string{stanza("zlib1g", "9.9", "Depends: libc6")}},
		{archive: "debian-security", name: "bookworm-security", packages: []string{
			stanza("libc6", "2.36-9+deb12u9"), stanza("libc6", "2.36-9+deb12u14"), stanza("libc6", "2.36-9+deb12u3"),
			stanza("pip", "23.0", "Depends: zlib1g"),
		}},
	}
}

func TestDebian(t *testing.T) {
	a := newArchives(t, testSuites()...)
	d, err := resolveFrom(a, testInput)
	require.NoError(t, err)

	key := testKeys()["debian"].fingerprint()
	date := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	require.Equal(t, []lock.Suite{
		{Archive: "debian", Name: "bookworm", Date: date, Key: key},
		{Archive: "debian", Name: "bookworm-updates", Date: date, Key: key},
		{Archive: "debian-security", Name: "bookworm-security", Date: date, Key: testKeys()["debian-security"].fingerprint()},
	}, d.Suites)
	require.Len(t, d.Platforms, 2)
	for platform, p := range d.Platforms {
		require.Equal(t, []string{
			"libc6 2.36-9+deb12u14 debian-security", // by number, not by text
			"zlib1g 1:1.2 debian",                   // the epoch counts first
		}, describe(p.Rootfs), platform)
		require.Equal(t, []string{"pip 23.0 debian"}, describe(p.Builder), "the first suite of equals")
		require.Equal(t, "pool/zlib1g_1:1.2.deb", p.Rootfs.Packages[1].Path)
		require.EqualValues(t, 7, p.Rootfs.Packages[1].Size)
		require.Empty(t, p.Rootfs.Digest)
	}
	for _, path := range a.asked {
		require.True(t, strings.HasSuffix(path, "/InRelease") || strings.Contains(path, "/by-hash/SHA256/"), path)
	}
	for range 5 {
		again, err := resolveFrom(a, testInput)
		require.NoError(t, err)
		require.Equal(t, d.Format(), again.Format())
	}
}

func describe(l lock.Layer) []string {
	var all []string
	for _, p := range l.Packages {
		all = append(all, p.Name+" "+p.Version+" "+p.Archive)
	}
	return all
}

// A mirror need not have the files by hash, even if it says so.
func TestDebianPlainNames(t *testing.T) {
	a := newArchives(t, testSuites()...)
	for path := range a.files {
		if strings.Contains(path, "by-hash") {
			delete(a.files, path)
		}
	}
	_, err := resolveFrom(a, testInput)
	require.NoError(t, err)
}

func TestDebianRefuses(t *testing.T) {
	text := func(data []byte) string {
		block, _ := clearsign.Decode(data)
		return string(block.Plaintext)
	}
	tests := map[string]struct {
		suite  func(s *suite)
		change string
		edit   func(data []byte) []byte
		want   string
	}{
		"unsigned": {change: "bookworm/InRelease", edit: func(b []byte) []byte { return []byte(text(b)) },
			want: "verifying InRelease: it is not signed"},
		"signature cut off": {change: "bookworm/InRelease", edit: func(b []byte) []byte { return b[:len(b)/2] },
			want: "it is not signed"},
		"stranger's key": {suite: func(s *suite) { s.signers = []string{"stranger"} },
			want: "no signature by a known key of this archive"},
		"key of the other archive": {suite: func(s *suite) { s.signers = []string{"debian-security"} },
			want: "no signature by a known key of this archive"},
		"altered release": {change: "bookworm/InRelease", edit: func(b []byte) []byte { return bytes.Replace(b, []byte("oldstable"), []byte("newstable"), 1) },
			want: "signature"},
		"text before": {change: "bookworm/InRelease", edit: func(b []byte) []byte { return append([]byte("Codename: x\n"), b...) },
			want: "text outside of the signed part"},
		"text behind": {change: "bookworm/InRelease", edit: func(b []byte) []byte { return append(b, "Codename: x\n"...) },
			want: "text outside of the signed part"},
		"expired": {suite: func(s *suite) { s.fields = map[string]string{"Valid-Until": "Tue, 24 Nov 2026 11:59:59 UTC"} },
			want: "it expired on Tue, 24 Nov 2026 11:59:59 UTC"},
		"odd end": {suite: func(s *suite) { s.fields = map[string]string{"Valid-Until": "never"} },
			want: `field Valid-Until: "never" is no date in UTC`},
		"future": {suite: func(s *suite) { s.fields = map[string]string{"Date": "Tue, 24 Nov 2026 14:00:00 UTC"} },
			want: "which is yet to come"},
		"no date": {suite: func(s *suite) { s.fields = map[string]string{"Date": ""} },
			want: "field Date"},
		"another suite": {suite: func(s *suite) { s.fields = map[string]string{"Codename": "bullseye"} },
			want: `it is of suite "oldstable", codename "bullseye"`},
		"odd file list": {suite: func(s *suite) { s.fields = map[string]string{"SHA256": "\n abc 1 x"} },
			want: `field SHA256: "abc 1 x" is not`},
		"odd file size": {suite: func(s *suite) {
			s.fields = map[string]string{"SHA256": "\n " + strings.Repeat("0", 64) + " -1 main/x"}
		}, want: "field SHA256: main/x: size"},
		"no index": {suite: func(s *suite) { s.fields = map[string]string{"SHA256": ""} },
			want: "InRelease lists no main/binary-"},
		"altered index": {change: "bookworm/main", edit: func(b []byte) []byte { b[len(b)-1]++; return b },
			want: "not sha256:"},
		"short index": {change: "bookworm/main", edit: func(b []byte) []byte { return b[:len(b)-1] },
			want: "bytes, not"},
		"long index": {change: "bookworm/main", edit: func(b []byte) []byte { return append(b, 0) },
			want: "over"},
		"no suite": {change: "bookworm/InRelease", edit: func([]byte) []byte { return nil },
			want: "it is not signed"},
		"odd package": {suite: func(s *suite) { s.packages = append(s.packages, "Package: libc6\nArchitecture: all\nSize: x\n") },
			want: "main/binary-"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			suites := testSuites()
			if tt.suite != nil {
				tt.suite(&suites[0])
			}
			a := newArchives(t, suites...)
			if tt.edit != nil {
				a.change(t, tt.change, tt.edit)
			}
			_, err := resolveFrom(a, testInput)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "archive debian: suite bookworm: ")
		})
	}
}

// What is compiled against may need what the image has, and is a layer of its own.
func TestDebianHeaders(t *testing.T) {
	in := testInput
	in.Headers = []string{"zlib1g"}
	d, err := resolveFrom(newArchives(t, testSuites()...), in)
	require.NoError(t, err)
	for platform, p := range d.Platforms {
		require.Equal(t, []string{"zlib1g 1:1.2 debian"}, describe(p.Headers), platform)
		require.Len(t, p.Rootfs.Packages, 2)
	}
	in.Headers = []string{"libmissing-dev"}
	_, err = resolveFrom(newArchives(t, testSuites()...), in)
	require.EqualError(t, err, "package libmissing-dev: in none of the suites (linux/amd64, linux/arm64)")
}

func TestDebianMissing(t *testing.T) {
	in := testInput
	in.Rootfs = append(slices.Clone(in.Rootfs), "libmissing")
	in.Builder = []string{"pip", "wheel"}
	_, err := resolveFrom(newArchives(t, testSuites()...), in)
	require.EqualError(t, err, "package libmissing: in none of the suites (linux/amd64, linux/arm64)\n"+
		"package wheel: in none of the suites (linux/amd64, linux/arm64)")

	r := debianResolver{in: in}
	_, err = r.resolve(context.Background(), []string{"linux/s390x"})
	require.ErrorContains(t, err, "platform linux/s390x: ")
}

// The committed keys verify what Debian really signed, each archive's its own.
func TestArchiveKeys(t *testing.T) {
	keys, err := archiveKeys()
	require.NoError(t, err)
	found := map[string][]string{}
	for archive, ks := range keys {
		for _, k := range ks {
			found[archive] = append(found[archive], k.fingerprint())
		}
	}
	require.Equal(t, map[string][]string{
		"debian": {
			"B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",
			"4D64FEC119C2029067D6E791F8D2585B8783D481",
			"04B54C3CDCA79751B16BC6B5225629DF75B188BD",
		},
		"debian-security": {
			"05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",
			"AC530D520F2F3269F5E98313A48449044AAD5C5D",
		},
	}, found)
	readme, err := os.ReadFile("keys/README.md")
	require.NoError(t, err)
	for archive, fingerprints := range found {
		for _, f := range fingerprints {
			require.Regexp(t, `\| `+archive+` \| \S+ \| `+f, string(readme))
		}
	}
}

func TestRealReleases(t *testing.T) {
	keys, err := archiveKeys()
	require.NoError(t, err)
	tests := []struct {
		archive, suite, date, key string
		expires                   bool
	}{
		{"debian", "bookworm-updates", "2026-11-22T02:09:05Z", "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8", false},
		{"debian-security", "bookworm-security", "2026-11-21T00:53:02Z", "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0", true},
	}
	for _, tt := range tests {
		t.Run(tt.suite, func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + tt.suite + ".InRelease")
			require.NoError(t, err)
			want := ListedSuite{Archive: tt.archive, Name: tt.suite}
			rel, err := parseRelease(data, want, keys[tt.archive], testNow)
			require.NoError(t, err)
			require.Equal(t, tt.date, rel.suite.Date.Format(time.RFC3339))
			require.Equal(t, tt.key, rel.suite.Key)
			for _, arch := range architectures {
				f, err := rel.packagesIndex(arch)
				require.NoError(t, err)
				require.Equal(t, "main/binary-"+arch+"/Packages.xz", f.path)
			}
			// Each of its keys is enough, whatever others signed as well.
			for _, k := range keys[tt.archive] {
				if rel, err := parseRelease(data, want, []archiveKey{k}, testNow); err == nil {
					require.Equal(t, k.fingerprint(), rel.suite.Key)
				} else {
					require.ErrorContains(t, err, "no signature by a known key")
				}
			}
			other := map[string]string{"debian": "debian-security", "debian-security": "debian"}[tt.archive]
			_, err = parseRelease(data, want, keys[other], testNow)
			require.ErrorContains(t, err, "no signature by a known key")
			if _, err = parseRelease(data, want, keys[tt.archive], testNow.AddDate(0, 1, 0)); tt.expires {
				require.ErrorContains(t, err, "it expired on Sat, 28 Nov 2026 00:53:02 UTC")
			} else {
				require.NoError(t, err)
			}
		})
	}
}
