// Package imagesource reads images that anybody made, from where they are: an OCI layout,
// what "docker save", "podman save", "skopeo copy" or "cosign save" write, or a
// registry. It is for programs that look at images, such as with package verify.
//
// Nothing is unpacked and little is kept in memory: a layer is opened when it is
// read. Nothing is believed either: a blob whose content is not what its digest or its
// descriptor's size says is an error, and so is an archive or a document that is
// larger than any real one. Signatures and attestations that lie beside an image are
// passed over.
package imagesource

import (
	"context"
	"errors"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Image is an image for one or more platforms.
type Image struct {
	// Name is the path or the reference that was opened, and behind it the image's own
	// name or number where several are there.
	Name string
	// Index lists the manifests of its platforms. One that stands alone is in an index
	// too, which is then made up.
	Index v1.ImageIndex
	// Hashed says that a layer's digest is that of its bytes. A "docker save" archive of
	// before Docker 25 has no digests: those of its layers are then what the config
	// claims them to be.
	Hashed bool
	// Notes say, a line each, what is listed and not there: "docker save" of one
	// platform writes the index of all.
	Notes []string
}

// Archive is an open directory or tar of images, at least one.
type Archive struct {
	Images []Image
	tar    *tarFiles
}

// Open opens a directory or a tar, also one that is compressed with gzip or zstd. The
// path's form decides, not its name.
func Open(ctx context.Context, path string) (*Archive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		images, err := archiveImages(path, dirFiles(path))
		if err != nil {
			return nil, err
		}
		return &Archive{Images: images}, nil
	}
	tar, err := openTar(ctx, path)
	if err != nil {
		return nil, err
	}
	images, err := archiveImages(path, tar)
	if err != nil {
		return nil, errors.Join(err, tar.Close())
	}
	return &Archive{images, tar}, nil
}

// Close closes the tar. No image of it can be read any more.
func (a *Archive) Close() error {
	if a.tar == nil {
		return nil
	}
	return a.tar.Close()
}
