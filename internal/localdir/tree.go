// Package localdir reads directories of the client as they are sent to BuildKit.
package localdir

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/lucid-project/base-images/lucidbase"
)

// Tree is what is sent of a directory: an fsutil.FS. A file that changes after Read
// is an error when it is sent, so that what arrives is what Digest says.
type Tree struct {
	name  string
	fsys  fs.FS
	files []*types.Stat // in the order of a walk
	sums  map[string][sha256.Size]byte
}

// Read reads a directory and every file in it. The error names all that cannot be
// sent: links that lead out of the directory, sockets, files that cannot be read. A
// directory of which nothing is left is an error, too.
func Read(ctx context.Context, l lucidbase.Local) (*Tree, error) {
	if (l.Dir == "") == (l.FS == nil) {
		return nil, errors.New("local directory: neither a path nor a file system, or both")
	}
	fsys, err := open(l)
	if err != nil {
		return nil, err
	}
	ignored, err := filters(l, fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	t := &Tree{name: l.String(), fsys: fsys, sums: map[string][sha256.Size]byte{}}
	var errs []error
	bad := func(name string, err error) {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		errs = append(errs, fmt.Errorf("%s: %w", path.Join(t.name, name), err))
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			bad(name, err)
		case name == ".":
		case ignored.tree(name, d):
			return fs.SkipDir
		case !d.IsDir() && ignored.file(name):
		default:
			if err := t.add(name, d); err != nil {
				bad(name, err)
			}
		}
		return nil
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	t.prune()
	if len(t.files) == 0 {
		return nil, fmt.Errorf("%s: no files in it%s", l, ignored.by())
	}
	return t, nil
}

// ErrLeadsOut says that a link's target is not in the directory, and so would not be in
// an image.
var ErrLeadsOut = errors.New("the link leads out of the directory")

// add reads a file, a link or a directory.
func (t *Tree) add(name string, d fs.DirEntry) error {
	stat := &types.Stat{Path: name, Mode: uint32(d.Type() | 0o755), ModTime: lucidbase.EpochSeconds * 1e9}
	switch d.Type() {
	case fs.ModeDir:
	case fs.ModeSymlink:
		target, err := fs.ReadLink(t.fsys, name)
		if err != nil {
			return err
		}
		if to := path.Join(path.Dir(name), target); path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") {
			return fmt.Errorf("%w: %s", ErrLeadsOut, target)
		}
		stat.Mode, stat.Linkname, stat.Size = uint32(fs.ModeSymlink|0o777), target, int64(len(target))
	case 0:
		if err := t.read(stat); err != nil {
			return err
		}
	default:
		return errors.New("it is no file, directory or link")
	}
	t.files = append(t.files, stat)
	return nil
}

// read fills in what is known of a file by reading it. Its time follows from its
// content: BuildKit asks for a file again when size, mode or time are others.
func (t *Tree) read(stat *types.Stat) error {
	f, err := t.fsys.Open(stat.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := sha256.New()
	if stat.Size, err = io.Copy(h, f); err != nil {
		return err
	}
	sum := [sha256.Size]byte(h.Sum(nil))
	t.sums[stat.Path] = sum
	if info.Mode()&0o100 == 0 {
		stat.Mode = 0o644
	}
	const years = 60 * 365 * 24 * 3600 * 1e9
	stat.ModTime = int64(binary.BigEndian.Uint64(sum[:]) % years)
	return nil
}

// prune drops directories without files.
func (t *Tree) prune() {
	used := map[string]bool{}
	for _, stat := range t.files {
		if !stat.IsDir() {
			for dir := path.Dir(stat.Path); dir != "." && !used[dir]; dir = path.Dir(dir) {
				used[dir] = true
			}
		}
	}
	kept := t.files[:0]
	for _, stat := range t.files {
		if !stat.IsDir() || used[stat.Path] {
			kept = append(kept, stat)
		}
	}
	t.files = kept
}

// Digest identifies what is sent: names, modes, links and content.
func (t *Tree) Digest() digest.Digest {
	h := sha256.New()
	for _, stat := range t.files {
		fmt.Fprintf(h, "%q %o %q %x\n", stat.Path, stat.Mode, stat.Linkname, t.sums[stat.Path])
	}
	return digest.NewDigest(digest.SHA256, h)
}

// Walk calls fn for everything in the tree.
func (t *Tree) Walk(ctx context.Context, _ string, fn fs.WalkDirFunc) error {
	skipped := ""
	for _, stat := range t.files {
		if skipped != "" && strings.HasPrefix(stat.Path, skipped) {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := fn(stat.Path, &fsutil.DirEntryInfo{Stat: stat.Clone()}, nil)
		switch {
		case errors.Is(err, fs.SkipAll):
			return nil
		case errors.Is(err, fs.SkipDir) && stat.IsDir():
			skipped = stat.Path + "/"
		case errors.Is(err, fs.SkipDir):
			skipped = strings.TrimPrefix(path.Dir(stat.Path)+"/", "./")
		case err != nil:
			return err
		}
	}
	return nil
}

// Open opens a file. What is wrong is an error of reading it: BuildKit's client takes
// a file that cannot be opened for an empty one.
func (t *Tree) Open(name string) (io.ReadCloser, error) {
	f, err := t.fsys.Open(name)
	if err != nil {
		return failed{fmt.Errorf("%s: %w", t.name, err)}, nil
	}
	return &checked{File: f, name: path.Join(t.name, name), hash: sha256.New(), want: t.sums[name]}, nil
}
