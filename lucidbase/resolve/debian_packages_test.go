package resolve

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReadPackages(t *testing.T) {
	index := strings.Join([]string{
		stanza("a", "1"),
		stanza("b", "2:2-1", "Pre-Depends: a", "Depends: c (>= 1), d | e:any", "Provides: f (= 3), g"),
		// Other fields may come first, and texts may look like fields.
		"Origin: Debian\n" + stanza("c", "1", "Description: a text", " Package: a", " .", " more"),
		stanza("ab", "1"),
		stanza("b", "1"),
	}, "\n")
	for name, ending := range map[string]string{"none": "", "one": "\n", "two": "\n\n"} {
		t.Run(name, func(t *testing.T) {
			r := iotest.OneByteReader(strings.NewReader(strings.TrimRight(index, "\n") + ending))
			found, err := readPackages(r, map[string]bool{"b": true, "c": true}, "amd64")
			require.NoError(t, err)
			require.Len(t, found, 3)
			require.Equal(t, "b", found[0].Name)
			require.Equal(t, "2:2-1", found[0].Version)
			require.EqualValues(t, 2, found[0].version.Epoch)
			require.Len(t, found[0].depends, 3)
			require.Len(t, found[0].provides, 2)
			require.Equal(t, "c", found[1].Name)
			require.Equal(t, "1", found[2].Version)
		})
	}
}

func TestReadPackagesRefuses(t *testing.T) {
	good := stanza("a", "1")
	for want, edit := range map[string][2]string{
		`package a: architecture "arm64" in an index of amd64`: {"Architecture: all", "Architecture: arm64"},
		`package a: size "-7" is not`:                          {"Size: 7", "Size: -7"},
		`package a: size "" is not`:                            {"Size: 7\n", ""},
		`package a: sha256 "abc`:                               {"SHA256: ", "SHA256: abc"},
		`package a: file name "/etc/x"`:                        {"pool/a_1.deb", "/etc/x"},
		`package a: file name "pool/../x"`:                     {"pool/a_1.deb", "pool/../x"},
		`package a: version ""`:                                {"Version: 1\n", ""},
		`package a: version "x"`:                               {"Version: 1", "Version: x"},
		`package a: field Depends: `:                           {"Size", "Depends: b (>\nSize"},
		`package a: field Provides: `:                          {"Size", "Provides: b (= 1\nSize"},
	} {
		require.Contains(t, good, edit[0])
		_, err := readPackages(strings.NewReader(strings.Replace(good, edit[0], edit[1], 1)), map[string]bool{"a": true}, "amd64")
		require.ErrorContains(t, err, want)
	}
	_, err := readPackages(strings.NewReader("Package: a\n"+strings.Repeat("x", maxStanza)), nil, "amd64")
	require.ErrorContains(t, err, "token too long")
	_, err = readPackages(iotest.ErrReader(io.ErrUnexpectedEOF), nil, "amd64")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// A small buffer or a big one, an index reads the same, and what is found is
// what was asked for.
func FuzzReadPackages(f *testing.F) {
	f.Add([]byte(stanza("a", "1") + "\n" + stanza("b", "1:2~3-4", "Depends: a (>= 1), c | d:any", "Provides: x (= 1)")))
	f.Add([]byte("Package: a\n\n\n\nPackage:b\nArchitecture: amd64\n"))
	f.Add([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nPackage: a\n"))
	listed := map[string]bool{"a": true, "b": true}
	f.Fuzz(func(t *testing.T, index []byte) {
		found, err := readPackages(bytes.NewReader(index), listed, "amd64")
		again, errAgain := readPackages(iotest.OneByteReader(bytes.NewReader(index)), listed, "amd64")
		require.Equal(t, err, errAgain)
		require.Equal(t, found, again)
		for _, c := range found {
			require.True(t, listed[c.Name])
			require.True(t, c.Size > 0 && isSHA256(c.SHA256) && c.Version != "")
			checkDepends(found, found, newExclusions(nil))
		}
		newestOf(found)
	})
}

// BenchmarkReadPackages reads an index as big as bookworm's: 64000 packages,
// of which 34 are wanted.
func BenchmarkReadPackages(b *testing.B) {
	var index bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	listed := map[string]bool{}
	for i := range 64000 {
		name := fmt.Sprintf("lib%x", random.Uint64())
		if i%1900 == 0 {
			listed[name] = true
		}
		index.WriteString(stanza(name, "1.0-1", "Depends: libc6 (>= 2.34), libgcc-s1 (>= 3.0)",
			fmt.Sprintf("Description-md5: %x%x", random.Uint64(), random.Uint64()), "Tag: "+strings.Repeat("role::shared-lib, ", 25)) + "\n")
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(index.Bytes())
	require.NoError(b, err)
	require.NoError(b, w.Close())
	b.SetBytes(int64(index.Len()))
	for b.Loop() {
		plain, err := unpack("Packages.gz", packed.Bytes())
		require.NoError(b, err)
		found, err := readPackages(plain, listed, "amd64")
		require.NoError(b, err)
		require.Len(b, found, len(listed))
	}
}
