package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/lucidbase"
)

// containerdName is where containerd and Podman look for an image's whole name
// first, see https://pkg.go.dev/github.com/containerd/containerd/v2/core/images.
const containerdName = "io.containerd.image.name"

// WriteLayout makes dir an OCI image layout of one image alone. Its short name is
// the tag, which is what "skopeo copy --all oci:DIR:TAG docker://..." looks for; its
// whole name is there too. With several tags it is listed once for each. An image that was there stays whole until the new one is,
// then its blobs go; blobs that are in both are not written again.
func WriteLayout(ctx context.Context, idx v1.ImageIndex, dir string, tags ...name.Tag) error {
	w := &layoutWriter{dir: dir}
	blobs, err := Blobs(idx)
	if err == nil {
		err = w.prepare()
	}
	if err == nil {
		err = w.write(ctx, blobs, tags)
	}
	if err != nil {
		w.undo()
		return fmt.Errorf("writing layout %s: %w", dir, oneLine{err})
	}
	return nil
}

// Blobs lists the layers and configs, then the manifests, then the index.
func Blobs(idx v1.ImageIndex) ([]Blob, error) {
	layers, err := blobsOf(idx)
	if err != nil {
		return nil, err
	}
	var blobs []Blob
	for _, l := range layers {
		blob, err := layerBlob(l)
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, blob)
	}
	images, err := imagesOf(idx)
	if err != nil {
		return nil, err
	}
	for _, m := range append(asManifests(images), idx) {
		raw, err := m.RawManifest()
		if err != nil {
			return nil, err
		}
		mediaType, err := m.MediaType()
		if err != nil {
			return nil, err
		}
		blobs = append(blobs, bytesBlob(string(mediaType), raw))
	}
	return blobs, nil
}

func asManifests(images []v1.Image) []manifest {
	all := make([]manifest, len(images))
	for i, img := range images {
		all[i] = img
	}
	return all
}

type layoutWriter struct {
	dir  string
	made []string // files and directories, in the order they were made
}

// prepare makes the directories. The oci-layout file comes first, not last: it
// distinguishes a layout that was interrupted from somebody else's directory.
func (w *layoutWriter) prepare() error {
	if err := w.checkDir(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(w.dir), 0o755); err != nil {
		return err
	}
	for _, dir := range []string{w.dir, filepath.Join(w.dir, "blobs"), w.blob("")} {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			w.made = append(w.made, dir)
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return w.writeJSON(ocispecs.ImageLayoutFile, ocispecs.ImageLayout{Version: ocispecs.ImageLayoutVersion})
}

func (w *layoutWriter) blob(hex string) string { return filepath.Join(w.dir, "blobs", "sha256", hex) }

// checkDir refuses a directory with something else in it.
func (w *layoutWriter) checkDir() error {
	entries, err := os.ReadDir(w.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if info, statErr := os.Stat(w.dir); statErr == nil && !info.IsDir() {
		return errors.New("it is a file")
	}
	if err != nil {
		return err
	}
	if !isLayout(entries) {
		return errors.New("the directory has other files in it and is no OCI layout")
	}
	return nil
}

// isLayout reports whether a directory is a layout, or one that has lost one of
// its files and has none of anybody else.
func isLayout(entries []fs.DirEntry) bool {
	has := map[string]bool{}
	foreign := false
	for _, e := range entries {
		has[e.Name()] = true
		switch e.Name() {
		case ocispecs.ImageLayoutFile, ocispecs.ImageIndexFile, ocispecs.ImageBlobsDir:
		default:
			foreign = foreign || !strings.HasPrefix(e.Name(), atomicfile.Prefix)
		}
	}
	return has[ocispecs.ImageLayoutFile] || has[ocispecs.ImageIndexFile] && has[ocispecs.ImageBlobsDir] && !foreign
}

func (w *layoutWriter) write(ctx context.Context, blobs []Blob, tags []name.Tag) error {
	for _, b := range blobs {
		if err := w.copyBlob(ctx, b); err != nil {
			return err
		}
	}
	err := w.writeJSON(ocispecs.ImageIndexFile, ocispecs.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageIndex,
		Manifests: named(blobs[len(blobs)-1].Descriptor, tags),
	})
	if err != nil {
		return err
	}
	w.made = nil // from here on the new image is the one that is there
	return w.sweep(blobs)
}

// WholeName is a name as Docker and containerd spell it out: their name of Docker
// Hub is not the one that a registry client needs.
func WholeName(tag name.Tag) string {
	registry := tag.RegistryStr()
	if registry == name.DefaultRegistry {
		registry = "docker.io"
	}
	return registry + "/" + tag.RepositoryStr() + ":" + tag.TagStr()
}

// checkedTime is the time of a layout's blobs whose content was compared with their
// digest. What changes a file changes its time.
var checkedTime = lucidbase.Epoch()

// copyBlob copies a blob that is not there. Never as a hard link: what a user does
// to a layout must not reach the store.
func (w *layoutWriter) copyBlob(ctx context.Context, b Blob) error {
	path := w.blob(b.Digest.Encoded())
	info, err := os.Stat(path)
	switch {
	case err != nil || !info.Mode().IsRegular() || info.Size() != b.Size:
	case info.ModTime().Equal(checkedTime):
		return nil
	case checked.File(ctx, path, b.Digest, b.Size) == nil:
		return os.Chtimes(path, checkedTime, checkedTime)
	}
	if err := w.create(path, func(dst io.Writer) error { return b.Copy(ctx, dst) }); err != nil {
		return err
	}
	return os.Chtimes(path, checkedTime, checkedTime)
}

// writeJSON writes a file of the layout, unless it is there just so.
func (w *layoutWriter) writeJSON(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	path := filepath.Join(w.dir, file)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return w.create(path, func(dst io.Writer) error {
		_, err := dst.Write(data)
		return err
	})
}

// create writes a file, and syncs it: a layout's blobs are believed by their time.
func (w *layoutWriter) create(path string, fill func(io.Writer) error) error {
	f, err := atomicfile.Create(w.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := errors.Join(fill(f), f.Sync()); err != nil {
		return err
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		w.made = append(w.made, path)
	}
	return f.Keep(path)
}

// undo removes what an unsuccessful write made.
func (w *layoutWriter) undo() {
	for _, path := range slices.Backward(w.made) {
		_ = os.Remove(path)
	}
}

// sweep removes what the image does not need: an earlier one's blobs, and what
// writes that were killed left behind.
func (w *layoutWriter) sweep(blobs []Blob) error {
	keep := map[string]bool{}
	for _, b := range blobs {
		keep[b.Digest.Encoded()] = true
	}
	there, err := os.ReadDir(w.blob(""))
	if err != nil {
		return err
	}
	for _, e := range there {
		if !keep[e.Name()] {
			if err := os.RemoveAll(w.blob(e.Name())); err != nil {
				return err
			}
		}
	}
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), atomicfile.Prefix) {
			_ = os.Remove(filepath.Join(w.dir, e.Name()))
		}
	}
	return nil
}
