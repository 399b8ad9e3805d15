package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// Format is what a tar of images is like.
type Format string

const (
	// OCI is a tar of an OCI layout, with all platforms of the images. "ctr image import",
	// "podman load", skopeo and "docker load" with containerd's image store take it.
	OCI Format = "oci"
	// Docker is a tar that "docker load" of any version takes, with one platform.
	Docker Format = "docker"
)

// Tar writes the image to a file, which is there whole or not at all. Images of one build
// that are for the same file are all in it. ref is as for Push.
func Tar(file string, format Format, ref string, opts ...TagOption) Destination {
	return to(ref, tarFile{file, format}, opts)
}

// TarTo writes the image as Tar does, to w, such as os.Stdout. When it fails, w may
// have got a part. w must be comparable: a pointer is.
func TarTo(w io.Writer, format Format, ref string, opts ...TagOption) Destination {
	return to(ref, tarStream{w, format}, opts)
}

// write writes the images of a delivery as a tar.
func (f Format) write(ctx context.Context, w io.Writer, d Delivery) error {
	images := d.named()
	if f == Docker {
		return image.WriteDockerTar(ctx, w, images, d.Images[0].Platforms[0], nil)
	}
	return image.WriteTar(ctx, w, images, nil)
}

// check reports what a tar cannot hold.
func (f Format) check(d Delivery) error {
	switch f {
	case OCI:
		return nil
	case Docker:
		for _, img := range d.Images {
			if len(img.Platforms) > 1 {
				return fmt.Errorf("To: a tar for docker holds one platform, and %s is for %d", img.Name, len(img.Platforms))
			}
		}
		return nil
	}
	return fmt.Errorf("To: format %q is not %s or %s", f, OCI, Docker)
}

// named returns the images with all their names.
func (d Delivery) named() []image.Named {
	images := make([]image.Named, len(d.Images))
	for i, img := range d.Images {
		images[i] = image.Named{Index: img.Index, Tags: img.allTags()}
	}
	return images
}

// tarFile is the Output of Tar.
type tarFile struct {
	file   string
	format Format
}

func (t tarFile) String() string { return "writing " + t.file }

// Check reports a directory in the file's place, and images that the format cannot hold.
func (t tarFile) Check(_ context.Context, d Delivery) error {
	info, err := os.Stat(t.file)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("To: %s is a directory, not a file", t.file)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("To: %w", err)
	}
	return t.format.check(d)
}

// Deliver writes the file aside, and then puts it in its place.
func (t tarFile) Deliver(ctx context.Context, d Delivery) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %s: %w", t.file, err)
		}
	}()
	f, err := atomicfile.Create(filepath.Dir(t.file))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.format.write(ctx, f, d); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Keep(t.file)
}

// tarStream is the Output of TarTo.
type tarStream struct {
	w      io.Writer
	format Format
}

func (tarStream) String() string { return "writing a tar" }

// Check reports images that the format cannot hold.
func (t tarStream) Check(_ context.Context, d Delivery) error { return t.format.check(d) }

// Deliver writes nowhere first: a damaged blob is found before the first byte is out, and
// can be made again.
func (t tarStream) Deliver(ctx context.Context, d Delivery) error {
	for _, w := range []io.Writer{io.Discard, t.w} {
		if err := t.format.write(ctx, w, d); err != nil {
			return fmt.Errorf("writing a tar: %w", err)
		}
	}
	return nil
}
