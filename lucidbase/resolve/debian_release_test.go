package resolve

import (
	"bytes"
	"crypto"
	"os"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/stretchr/testify/require"
)

const testRelease = "Codename: bookworm\nDate: Mon, 23 Nov 2026 10:00:00 UTC\n" +
	"SHA256:\n e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n"

func TestParseReleaseSignatures(t *testing.T) {
	at := func(now time.Time) *packet.Config {
		return &packet.Config{Time: func() time.Time { return now }}
	}
	tests := map[string]struct {
		config  *packet.Config
		signers []string
		now     time.Time
		key     string
		want    string
	}{
		"one":                        {signers: []string{"debian"}, key: "debian"},
		"a stranger first":           {signers: []string{"stranger", "debian"}, key: "debian"},
		"a stranger last":            {signers: []string{"debian", "stranger"}, key: "debian"},
		"two, the first of the keys": {signers: []string{"debian-security", "debian"}, key: "debian"},
		"a clock that is a bit slow": {signers: []string{"debian"}, config: at(testNow.Add(time.Minute)), key: "debian"},
		"signed in the future":       {signers: []string{"debian"}, config: at(testNow.AddDate(0, 0, 1)), want: "expired"},
		"before the key was made":    {signers: []string{"debian"}, now: testNow.AddDate(-2, 0, 0), want: "expired"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data := sign(t, testRelease, tt.config, tt.signers...)
			now := testNow
			if !tt.now.IsZero() {
				now = tt.now
			}
			keys := []archiveKey{testKeys()["debian"], testKeys()["debian-security"]}
			rel, err := parseRelease(data, ListedSuite{Archive: "debian", Name: "bookworm"}, keys, now)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, testKeys()[tt.key].fingerprint(), rel.suite.Key)
			require.Contains(t, rel.files, "main/binary-amd64/Packages")
		})
	}
}

// The OpenPGP library would take a SHA-1 signature for a good one.
func TestParseReleaseWeakHash(t *testing.T) {
	config := &packet.Config{
		Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048,
		Time:                                  func() time.Time { return testNow.AddDate(0, -1, 0) },
		NonDeterministicSignaturesViaNotation: new(bool), // its salt has no SHA-1 form
	}
	e, err := openpgp.NewEntity("weak", "", "", config)
	require.NoError(t, err)
	for hash, want := range map[crypto.Hash]string{crypto.SHA1: "hash SHA-1 is too weak", crypto.SHA512: ""} {
		signature := &packet.Signature{
			Version: 4, SigType: packet.SigTypeText, PubKeyAlgo: e.PrimaryKey.PubKeyAlgo, Hash: hash,
			CreationTime: config.Now(), IssuerKeyId: &e.PrimaryKey.KeyId,
		}
		text := []byte("Codename: bookworm")
		h := hash.New()
		h.Write(text)
		require.NoError(t, signature.Sign(h, e.PrivateKey, config))
		var b bytes.Buffer
		require.NoError(t, signature.Serialize(&b))
		err := archiveKey{e}.verify(text, b.Bytes(), testNow)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	for s, want := range map[string]string{
		"Sat, 11 Jul 2026 10:16:37 UTC": "2026-07-11T10:16:37Z",
		"Sun, 01 Nov 2026 02:09:05 GMT": "2026-11-01T02:09:05Z",
		"Sun,  1 Nov 2026 02:09:05 UTC": "2026-11-01T02:09:05Z",
		"Sat, 11 Jul 2026 10:16:37 CET": "",
		"Sat, 11 Jul 2026 10:16:37":     "",
		"2026-07-11T10:16:37Z":          "",
		" UTC":                          "",
		"":                              "",
	} {
		got, err := parseDate(s)
		if want == "" {
			require.Error(t, err, s)
			continue
		}
		require.NoError(t, err, s)
		require.Equal(t, want, got.Format(time.RFC3339))
	}
}

// Whatever comes, it is refused or it is what was signed.
func FuzzParseRelease(f *testing.F) {
	signed := sign(f, testRelease, nil, "debian")
	f.Add(signed)
	f.Add(bytes.ReplaceAll(signed, []byte("\n"), []byte("\r\n")))
	f.Add([]byte(testRelease))
	for _, name := range []string{"bookworm-security", "bookworm-updates"} {
		data, err := os.ReadFile("testdata/" + name + ".InRelease")
		require.NoError(f, err)
		f.Add(data[:4096])
		f.Add(data[len(data)-4096:])
	}
	keys := []archiveKey{testKeys()["debian"]}
	want := ListedSuite{Archive: "debian", Name: "bookworm"}
	wantFiles, err := parseFiles("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		if rel, err := parseRelease(data, want, keys, testNow); err == nil {
			require.Equal(t, wantFiles, rel.files)
			require.Equal(t, keys[0].fingerprint(), rel.suite.Key)
		}
		// The reader alone, as if all were signed.
		if rel, err := readRelease(data, want, testNow); err == nil {
			require.False(t, rel.suite.Date.After(testNow.Add(clockSkew)))
			for path, file := range rel.files {
				require.Equal(t, path, file.path)
				require.True(t, isSHA256(file.sha256) && file.size >= 0)
			}
		}
	})
}
