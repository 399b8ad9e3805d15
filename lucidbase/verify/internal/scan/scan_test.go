package scan

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScan(t *testing.T) {
	data := tarOf(t,
		tarEntry{Header: tar.Header{Name: "./opt/", Mode: 0o755, Typeflag: tar.TypeDir, Uid: 3_000_000}},
		file("/opt//a/../b", "#! /bin/sh -e \necho"),
		link("opt/l", "../../b"),
		hardlink("opt/h", "./opt/b"),
		file("etc/.wh.passwd", ""),
		file("etc/.wh..wh..opq", ""),
		file(".wh..wh.plnk/1", "kept"),
		tarEntry{Header: tar.Header{Name: "ping", Mode: 0o4755, PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "x"}}},
		tarEntry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{"comment": "a commit"}}},
	)
	data = append(data, "trailing"...)
	f, err := Layer(context.Background(), bytesLayer(data))
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	require.Equal(t, hex.EncodeToString(sum[:]), f.DiffID.Hex, "what is behind the tar's end counts")
	require.Equal(t, int64(len(data)), f.Size)
	require.Equal(t, Format, f.Format)
	require.Equal(t, []File{
		{Path: "/opt", Kind: Directory, Mode: 0o755, UID: 3_000_000},
		{Path: "/opt/b", Kind: Regular, Mode: 0o644, Size: 19, SHA256: "Sb6s1woF9gt2Xyy1Cvfyrt7uMmS7J-9VAUaaXjUuBi4", Shebang: "/bin/sh -e"},
		{Path: "/opt/l", Kind: Symlink, Mode: 0o777, Link: "../../b"},
		{Path: "/opt/h", Kind: Hardlink, Mode: 0o755, Link: "/opt/b"},
		{Path: "/etc/passwd", Kind: Whiteout, Mode: 0o644},
		{Path: "/etc", Kind: Opaque, Mode: 0o644},
		{Path: "/.wh..wh.plnk/1", Kind: Regular, Mode: 0o644, Size: 4, SHA256: f.Files[6].SHA256},
		{Path: "/ping", Kind: Regular, Mode: 0o4755, Xattrs: []string{"security.capability"}, SHA256: f.Files[7].SHA256},
	}, f.Files)
}

func TestScanHostile(t *testing.T) {
	small := realLimits
	small.entries, small.path, small.free, small.trailing = 3, 100, 1<<20, 1<<10
	long := strings.Repeat("n", 150)
	huge := tarOf(t, file("big", ""))
	copy(huge[124:], "\x80\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00") // its size
	checksum(huge)
	unknown := tarOf(t, file("odd", ""))
	unknown[156] = 'Q'
	checksum(unknown)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"entries":             {tarOf(t, file("a", ""), file("b", ""), file("c", ""), file("d", "")), `entry "d": more than 3 entries`},
		"long name":           {tarOf(t, file(long, "")), "name of more than 100 bytes"},
		"long link":           {tarOf(t, link("l", long)), `entry "l": link target of more than 100 bytes`},
		"out":                 {tarOf(t, file("a/../../etc/shadow", "")), `entry "a/../../etc/shadow": leads out of the root`},
		"hard link out":       {tarOf(t, hardlink("l", "../etc/shadow")), `entry "l": hard link to "../etc/shadow": leads out of the root`},
		"whiteout of ..":      {tarOf(t, file("a/.wh...", "")), `whiteout of ".."`},
		"whiteout of nothing": {tarOf(t, file("a/.wh.", "")), `whiteout of ""`},
		"huge":                {huge, `entry "big": decompresses to more than`},
		"unknown type":        {unknown, `entry "odd": unknown type 'Q'`},
		"cut off":             {tarOf(t, file("a", strings.Repeat("x", 2000)))[:1024], `entry "a": reading the content: unexpected EOF`},
		"no tar":              {bytes.Repeat([]byte("garbage!"), 200), "reading the tar after the first entry"},
		"trailing":            {append(tarOf(t), make([]byte, 2<<10)...), "behind the tar's end: more than 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(context.Background(), bytesLayer(c.data), small)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// checksum makes a changed first header true again.
func checksum(data []byte) {
	copy(data[148:156], "        ")
	sum := 0
	for _, c := range data[:512] {
		sum += int(c)
	}
	copy(data[148:156], []byte{'0', '0', byte('0' + sum>>9&7), byte('0' + sum>>6&7), byte('0' + sum>>3&7), byte('0' + sum&7), 0, ' '})
}

// zeros is a gzip bomb's content: a file of zeros without end.
type zeros struct{ head *bytes.Reader }

func (z zeros) Read(p []byte) (int, error) {
	if z.head.Len() > 0 {
		return z.head.Read(p)
	}
	clear(p)
	return len(p), nil
}

func TestScanBomb(t *testing.T) {
	head := tarOf(t, file("a", ""))[:512]
	copy(head[124:], "77777777777\x00") // 8 GiB
	checksum(head)
	small := realLimits
	small.free = 4 << 20
	_, err := read(context.Background(), readerLayer(zeros{bytes.NewReader(head)}, 1<<10), small)
	require.ErrorContains(t, err, `entry "a": decompresses to more than 4194304 bytes`)

	small.ratio = 1 << 10
	small.size = 8 << 20
	_, err = read(context.Background(), readerLayer(zeros{bytes.NewReader(head)}, 1<<40), small)
	require.ErrorContains(t, err, "decompresses to more than 8388608 bytes")
}

// TestScanHugeXattr has a PAX header that says that it has a gigabyte.
func TestScanHugeXattr(t *testing.T) {
	head := tarOf(t, file("PaxHeaders.0/a", ""))[:512]
	head[156] = 'x'
	copy(head[124:], "10000000000\x00") // 1 GiB
	checksum(head)
	before := allocated()
	_, err := Layer(context.Background(), readerLayer(zeros{bytes.NewReader(head)}, 1<<30))
	require.ErrorContains(t, err, "reading the tar after the first entry")
	require.Less(t, allocated()-before, uint64(64<<20))
}

func TestScanTruncatedGzip(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(tarOf(t, file("a", strings.Repeat("random? ", 1<<16))))
	_ = w.Close()
	z, err := gzip.NewReader(bytes.NewReader(b.Bytes()[:b.Len()/2]))
	require.NoError(t, err)
	_, err = Layer(context.Background(), readerLayer(z, int64(b.Len())))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// TestScanCancelled must not wait for a layer that never comes.
func TestScanCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		_, _ = w.Write(tarOf(t, file("a", ""))[:512])
		cancel()
	}()
	_, err := Layer(ctx, readerLayer(r, 0))
	require.ErrorIs(t, err, context.Canceled)
}

func TestScanErrors(t *testing.T) {
	broken := errors.New("connection reset")
	_, err := Layer(context.Background(), rawLayer{Open: func() (io.ReadCloser, error) { return nil, broken }})
	require.ErrorIs(t, err, broken)
	_, err = Layer(context.Background(), readerLayer(io.MultiReader(bytes.NewReader(tarOf(t, file("a", ""))[:512]), errReader{broken}), 0))
	require.ErrorIs(t, err, broken)
}

// allocated is all that was ever taken from the heap, in bytes.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestSpool reads the same from memory and from a temporary file, and leaves none.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	data := tarOf(t, file("lib.so", string(craftELF(elfSpec{Needed: []string{"libc.so.6"}}))))
	inMemory, err := Layer(context.Background(), bytesLayer(data))
	require.NoError(t, err)
	small := realLimits
	small.memory = 16
	inFile, err := read(context.Background(), bytesLayer(data), small)
	require.NoError(t, err)
	require.Equal(t, inMemory, inFile)
	require.Equal(t, []string{"libc.so.6"}, inFile.Files[0].ELF.Needed)
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}
