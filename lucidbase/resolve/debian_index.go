package resolve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	"pault.ag/go/debian/deb"

	"github.com/lucid-project/base-images/internal/checked"
)

// maxIndex limits a compressed Packages file; bookworm's has 12 MB.
const maxIndex = 128 << 20

// packagesIndex picks the form of an architecture's index. Gzip has a third
// more bytes than xz and unpacks four times as fast in Go.
func (rel release) packagesIndex(arch string) (indexFile, error) {
	name := "main/binary-" + arch + "/Packages"
	for _, ext := range []string{".gz", ".xz", ""} {
		if f, ok := rel.files[name+ext]; ok {
			return f, nil
		}
	}
	return indexFile{}, fmt.Errorf("InRelease lists no %s", name)
}

// fetchPackages reads what a suite has of the listed packages.
func (r debianResolver) fetchPackages(ctx context.Context, rel release, arch string) ([]candidate, error) {
	found, err := r.readIndex(ctx, rel, arch)
	if err != nil {
		return nil, fmt.Errorf("archive %s: suite %s: %w", rel.suite.Archive, rel.suite.Name, err)
	}
	for i := range found {
		found[i].Archive = rel.suite.Archive
	}
	return found, nil
}

func (r debianResolver) readIndex(ctx context.Context, rel release, arch string) ([]candidate, error) {
	index, err := r.openIndex(ctx, rel, arch)
	if err != nil {
		return nil, err
	}
	found, err := readPackages(index, r.listed(), arch)
	if err != nil {
		return nil, fmt.Errorf("reading main/binary-%s: %w", arch, err)
	}
	return found, nil
}

// openIndex returns an architecture's index, unpacked.
func (r debianResolver) openIndex(ctx context.Context, rel release, arch string) (io.Reader, error) {
	f, err := rel.packagesIndex(arch)
	if err != nil {
		return nil, err
	}
	data, err := r.fetchIndex(ctx, rel, f)
	if err != nil {
		return nil, err
	}
	index, err := unpack(f.path, data)
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", f.path, err)
	}
	return index, nil
}

// fetchIndex asks by hash first where the archive offers it: that file is there
// while a mirror is being updated, too.
func (r debianResolver) fetchIndex(ctx context.Context, rel release, f indexFile) ([]byte, error) {
	if f.size > maxIndex {
		return nil, fmt.Errorf("fetching %s: %d bytes are too many", f.path, f.size)
	}
	dir := "dists/" + rel.suite.Name + "/"
	if rel.byHash {
		data, err := r.source.Fetch(ctx, rel.suite.Archive, dir+path.Dir(f.path)+"/by-hash/SHA256/"+f.sha256, f.size, f.verify)
		if err == nil || ctx.Err() != nil {
			return data, err
		}
	}
	return r.source.Fetch(ctx, rel.suite.Archive, dir+f.path, f.size, f.verify)
}

func (f indexFile) verify(data []byte) error {
	if err := checked.Bytes(data, digest.NewDigestFromEncoded(digest.SHA256, f.sha256), f.size); err != nil {
		return fmt.Errorf("%w, as InRelease says", err)
	}
	return nil
}

func unpack(name string, data []byte) (io.Reader, error) {
	switch path.Ext(name) {
	case ".gz":
		return gzip.NewReader(bytes.NewReader(data))
	case ".xz":
		return deb.DecompressorFor(".xz")(bytes.NewReader(data))
	}
	return bytes.NewReader(data), nil
}

func (r debianResolver) listed() map[string]bool {
	listed := map[string]bool{}
	for _, name := range slices.Concat(r.in.Rootfs, r.in.Builder, r.in.Headers) {
		listed[name] = true
	}
	return listed
}

func isSHA256(s string) bool {
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == sha256.Size && s == hex.EncodeToString(sum)
}
