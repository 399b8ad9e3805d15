package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// sample is 6 MiB that no library makes: noise, text, zeros and repeats from far
// and near, so that every kind of block and every block boundary is in it.
func sample() []byte {
	var b bytes.Buffer
	for i := uint64(0); b.Len() < 6<<20; i++ {
		seed := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, i))
		switch i % 7 {
		case 0, 1:
			b.Write(seed[:])
		case 2, 3, 4:
			fmt.Fprintf(&b, "line %d of module_%d: def f(self, x%d=None): return %x\n", i, i%97, i%13, seed[:3])
		case 5:
			b.Write(make([]byte, int(seed[0])*2))
		case 6:
			from := int(binary.LittleEndian.Uint32(seed[:]) % uint32(b.Len()))
			b.Write(bytes.Clone(b.Bytes()[from:min(from+int(seed[4])*8, b.Len())]))
		}
	}
	return b.Bytes()[:6<<20]
}

// The digests of the sample's compressed bytes. When an update of the compressor
// changes them, every layer of every image gets a new digest: do it on purpose.
var vectors = map[Compression]string{
	Gzip: "d9eda5f4d3e424186ada366516fca1dd7fd0b92d9a1ae7ea573333abfdbaa0fa",
	Zstd: "bf8a45f1e02f0b7fcd572021ec84beaccc9e16971a00e8c34105020b88bd16c2",
}

const sampleDigest = "395db51f75c2c022c468147a570a0512499cc0126f753fdff3f8bb15a5cff3b7"

func compressed(t *testing.T, c Compression, r io.Reader) []byte {
	var b bytes.Buffer
	require.NoError(t, compressTo(&b, r, c))
	return b.Bytes()
}

func TestVectors(t *testing.T) {
	data := sample()
	require.Equal(t, sampleDigest, hexSum(data))
	for _, procs := range []int{1, 8} {
		for c, want := range vectors {
			t.Run(fmt.Sprintf("%s on %d CPUs", c, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				require.Equal(t, want, hexSum(compressed(t, c, bytes.NewReader(data))))
			})
		}
	}
}

// How the input is cut must not matter: a pipe or a slow disk has short reads.
func TestReadSizes(t *testing.T) {
	data := sample()
	for c, want := range vectors {
		require.Equal(t, want, hexSum(compressed(t, c, &shortReader{data: data})), c)
	}
}

func TestDecompresses(t *testing.T) {
	data := sample()
	zipped := compressed(t, Gzip, bytes.NewReader(data))
	require.Equal(t, "1f8b080000000000", hex.EncodeToString(zipped[:8]), "no flags, so no name, and no time")
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	require.NoError(t, err)
	got, err := io.ReadAll(z)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))

	d, err := zstd.NewReader(bytes.NewReader(compressed(t, Zstd, bytes.NewReader(data))))
	require.NoError(t, err)
	defer d.Close()
	got, err = io.ReadAll(d)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

func TestUnknownCompression(t *testing.T) {
	require.ErrorContains(t, compressTo(io.Discard, &shortReader{}, "lzma"), `compression "lzma": not gzip or zstd`)
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// shortReader returns its data in pieces of growing, odd sizes.
type shortReader struct {
	data []byte
	n    int
}

func (r *shortReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	r.n = (r.n + 977) % 70001
	n := copy(p[:min(r.n, len(p))], r.data)
	r.data = r.data[n:]
	return n, nil
}

func BenchmarkCompress(b *testing.B) {
	data := sample()
	for _, c := range []Compression{Gzip, Zstd} {
		b.Run(string(c), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				require.NoError(b, compressTo(io.Discard, bytes.NewReader(data), c))
			}
		})
	}
}
