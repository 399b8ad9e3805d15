// Package debtest makes package files for tests, and reads layers.
package debtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Package is a package file made for a test.
type Package struct {
	Name         string
	Version      string // "1" if empty
	Architecture string // "amd64" if empty
	Archive      string // "debian" if empty
	MD5Sums      string
	Members      func(control, data []byte) []Member // xz if nil
	Entries      []tar.Header
	Content      map[string]string // of files, by the name in their header
}

// Member is a file of a package file, which is an ar archive.
type Member struct {
	Name string
	Data []byte
}

// Dir returns the header of a directory.
func Dir(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}
}

// Link returns the header of a symbolic link.
func Link(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}
}

// HardLink returns the header of a hard link.
func HardLink(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target, Mode: 0o644}
}

// Regular returns the header of a file.
func Regular(name string, mode int64) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Uname: "builder", Gname: "builder"}
}

// Deb returns the package file, and how a lock describes it.
func (f Package) Deb(t testing.TB) ([]byte, lock.Package) {
	t.Helper()
	if f.Version == "" {
		f.Version = "1"
	}
	if f.Architecture == "" {
		f.Architecture = "amd64"
	}
	if f.Archive == "" {
		f.Archive = "debian"
	}
	stanza := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\n", f.Name, f.Version, f.Architecture)
	control := Tarball(t, map[string]string{"./control": stanza, "./md5sums": f.MD5Sums, "./postinst": "#!/bin/sh\n"},
		[]tar.Header{Dir("./"), Regular("./control", 0o644), Regular("./md5sums", 0o644), Regular("./postinst", 0o755)})
	data := Tarball(t, f.Content, f.Entries)
	members := f.Members
	if members == nil {
		members = func(control, data []byte) []Member {
			return []Member{{"debian-binary", []byte("2.0\n")}, {"control.tar.xz", XZ(control)}, {"data.tar.xz", XZ(data)}}
		}
	}
	file := Ar(members(control, data))
	return file, Locked(f.Name, f.Version, f.Archive, file)
}

// RequireCached requires that what a cache has under a hash is that.
func RequireCached(t testing.TB, cache string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cache, "sha256", "*"))
	require.NoError(t, err)
	for _, path := range found {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, filepath.Base(path), fmt.Sprintf("%x", sha256.Sum256(content)))
	}
}

// Locked describes a file as a lock does.
func Locked(name, version, archive string, file []byte) lock.Package {
	sum := sha256.Sum256(file)
	return lock.Package{
		Name:    name,
		Version: version,
		Archive: archive,
		Path:    fmt.Sprintf("pool/main/%s_%s.deb", name, version),
		Size:    int64(len(file)),
		SHA256:  hex.EncodeToString(sum[:]),
	}
}

// Tarball returns a tar of entries; content is that of files, by name.
func Tarball(t testing.TB, content map[string]string, entries []tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		body := ""
		if h.Typeflag == tar.TypeReg {
			body = content[h.Name]
			h.Size = int64(len(body))
		}
		require.NoError(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Ar returns an ar archive.
func Ar(members []Member) []byte {
	b := bytes.NewBufferString("!<arch>\n")
	for _, m := range members {
		fmt.Fprintf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.Name, 0, 0, 0, "100644", len(m.Data))
		b.Write(m.Data)
		if len(m.Data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// Gz compresses data.
func Gz(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// XZ stores data without compressing it, in a valid .xz file of one block
// (https://tukaani.org/xz/xz-file-format.txt).
func XZ(data []byte) []byte {
	var b bytes.Buffer
	sealed := func(part []byte) {
		b.Write(part)
		_ = binary.Write(&b, binary.LittleEndian, crc32.ChecksumIEEE(part))
	}
	flags := []byte{0, 1} // CRC32
	b.WriteString("\xfd7zXZ\x00")
	sealed(flags)
	start := b.Len()
	sealed([]byte{2, 0, 0x21, 1, 22, 0, 0, 0}) // one filter: LZMA2, 8 MiB
	control := byte(1)                         // uncompressed, after a reset of the dictionary
	for rest := data; len(rest) > 0; control = 2 {
		n := min(len(rest), 1<<16)
		b.Write([]byte{control, byte((n - 1) >> 8), byte(n - 1)})
		b.Write(rest[:n])
		rest = rest[n:]
	}
	b.WriteByte(0)
	unpadded := b.Len() - start + 4
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
	_ = binary.Write(&b, binary.LittleEndian, crc32.ChecksumIEEE(data))
	index := binary.AppendUvarint([]byte{0, 1}, uint64(unpadded))
	index = binary.AppendUvarint(index, uint64(len(data)))
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	sealed(index)
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4)), flags...)
	_ = binary.Write(&b, binary.LittleEndian, crc32.ChecksumIEEE(footer))
	b.Write(footer)
	b.WriteString("YZ")
	return b.Bytes()
}

// FillCache puts files where Archives.File looks for them, so that no network is
// needed.
func FillCache(t testing.TB, cache string, files map[string][]byte) {
	t.Helper()
	for hash, data := range files {
		path := filepath.Join(cache, "sha256", hash)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
}

// Listing reads a tar as one line an entry: type, mode, owner, name, content.
func Listing(t testing.TB, layer []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	r := tar.NewReader(bytes.NewReader(layer))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		body, err := io.ReadAll(r)
		require.NoError(t, err)
		line := fmt.Sprintf("%c %o %d:%d", h.Typeflag, h.Mode, h.Uid, h.Gid)
		switch h.Typeflag {
		case tar.TypeDir:
			require.True(t, strings.HasSuffix(h.Name, "/"), h.Name)
		case tar.TypeReg:
			line += " " + string(body)
		default:
			line += " " + h.Linkname
		}
		name := strings.TrimSuffix(h.Name, "/")
		require.NotContains(t, out, name, "listed twice")
		out[name] = line
	}
}
