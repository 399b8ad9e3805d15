package scan

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchLayer is a layer like a real one: a third each of text, of what cannot be
// compressed, and of programs; in files of 64 KiB.
func benchLayer(b *testing.B, size int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 64<<10)
	_, _ = r.Read(noise)
	bodies := [][]byte{
		bytes.Repeat([]byte("def function(self, argument):\n    return argument + 1  # a comment\n"), 900),
		noise,
		append(craftELF(elfSpec{}), []byte(base64.StdEncoding.EncodeToString(noise[:48000]))...),
	}
	var data bytes.Buffer
	z, err := gzip.NewWriterLevel(&data, gzip.BestSpeed)
	require.NoError(b, err)
	w := tar.NewWriter(z)
	for i := 0; i*(64<<10) < size; i++ {
		body := bodies[i%3]
		require.NoError(b, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("dir/%d", i), Typeflag: tar.TypeReg, Size: int64(len(body))}))
		_, err := w.Write(body)
		require.NoError(b, err)
	}
	require.NoError(b, w.Close())
	require.NoError(b, z.Close())
	return data.Bytes()
}

// BenchmarkScan prints MB/s of the uncompressed layer.
func BenchmarkScan(b *testing.B) {
	const size = 256 << 20
	data := benchLayer(b, size)
	b.Run("gzip", func(b *testing.B) { benchScan(b, data, true) })
	z, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(b, err)
	plain, err := io.ReadAll(z)
	require.NoError(b, err)
	b.Run("uncompressed", func(b *testing.B) { benchScan(b, plain, false) })
}

func benchScan(b *testing.B, data []byte, zipped bool) {
	b.ReportAllocs()
	for b.Loop() {
		r := io.Reader(bytes.NewReader(data))
		if zipped {
			z, err := gzip.NewReader(r)
			require.NoError(b, err)
			r = z
		}
		f, err := Layer(b.Context(), readerLayer(r, int64(len(data))))
		require.NoError(b, err)
		b.SetBytes(f.Size)
	}
}
