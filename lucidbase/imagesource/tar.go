package imagesource

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/internal/v1image"
)

// maxArchiveFiles and maxName bound what is remembered of an archive: images have
// a few files a layer.
const (
	maxArchiveFiles = 100_000
	maxName         = 4096
)

// tarFiles are those of a tar, by offset. Nothing of it is unpacked.
type tarFiles struct {
	file  *os.File
	files map[string]tarFile
}

type tarFile struct {
	offset, size int64
	link         string
}

// openTar lists a tar's files. One that is compressed goes through a temporary
// file that has no name any more.
func openTar(ctx context.Context, name string) (*tarFiles, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f, err = uncompressed(ctx, f)
	if err != nil {
		return nil, err
	}
	t := &tarFiles{file: f, files: map[string]tarFile{}}
	if err := t.list(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

func (t *tarFiles) list() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	r := tar.NewReader(t.file)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.strip()
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the tar: %w", err)
		}
		if len(t.files) == maxArchiveFiles || len(h.Name)+len(h.Linkname) > maxName {
			return errors.New("reading the tar: no archive of images: too many files, or too long names")
		}
		offset, err := t.file.Seek(0, io.SeekCurrent) // tar reads no byte ahead
		if err != nil {
			return err
		}
		name := clean(h.Name)
		if offset+h.Size > info.Size() { // tar seeks over it and takes that for the end
			return fmt.Errorf("reading the tar: %s: %w", name, io.ErrUnexpectedEOF)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			t.files[name] = tarFile{offset: offset, size: h.Size}
		case tar.TypeSymlink: // "docker save" before 25, for a layer that two images have
			t.files[name] = tarFile{link: clean(path.Join(path.Dir(name), h.Linkname))}
		case tar.TypeLink:
			t.files[name] = tarFile{link: clean(h.Linkname)}
		}
	}
}

// strip takes off the directory that people pack with what is in it.
func (t *tarFiles) strip() {
	dir := ""
	for name := range t.files {
		top, _, below := strings.Cut(name, "/")
		if !below || dir != "" && top != dir {
			return
		}
		dir = top
	}
	stripped := map[string]tarFile{}
	for name, f := range t.files {
		f.link = strings.TrimPrefix(f.link, dir+"/")
		stripped[strings.TrimPrefix(name, dir+"/")] = f
	}
	t.files = stripped
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (t *tarFiles) open(name string) (io.ReadCloser, int64, error) {
	name = clean(name)
	for range 10 { // links
		f, ok := t.files[name]
		if !ok {
			break
		}
		if f.link == "" {
			return io.NopCloser(io.NewSectionReader(t.file, f.offset, f.size)), f.size, nil
		}
		name = f.link
	}
	return nil, 0, fmt.Errorf("%s: not in the archive: %w", name, fs.ErrNotExist)
}

// Close closes the file.
func (t *tarFiles) Close() error { return t.file.Close() }

// What a compressed archive may become: no image packs better than 200 to 1.
const (
	freeSpool  = 2 << 30
	ratioSpool = 200
)

// uncompressed returns the file itself if it is not compressed.
func uncompressed(ctx context.Context, f *os.File) (*os.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("no regular file"), f.Close())
	}
	head := make([]byte, 4)
	if n, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	} else if v1image.Compression(head[:n]) == "" {
		return f, nil
	}
	r, err := v1image.Decompress(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return spool(ctx, r, max(freeSpool, ratioSpool*info.Size()))
}

func spool(ctx context.Context, r io.Reader, limit int64) (_ *os.File, err error) {
	temp, err := os.CreateTemp("", "lucidbase-verify-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(temp.Name()) // where an open file cannot be removed it stays
	defer func() {
		if err != nil {
			temp.Close()
		}
	}()
	n, err := io.Copy(temp, io.LimitReader(checked.Reader(ctx, r), limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("decompressing: %w", err)
	case n > limit:
		return nil, fmt.Errorf("decompressing: more than %d bytes", limit)
	}
	_, err = temp.Seek(0, io.SeekStart)
	return temp, err
}
