package imagesource

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/lucid-project/base-images/internal/v1image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The annotations that name an image of a layout: the image-spec's and
// containerd's.
var nameAnnotations = []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}

// layoutImages lists the images of an OCI layout.
func layoutImages(name string, f files) ([]Image, error) {
	if !has(f, "oci-layout") {
		return nil, errors.New("no OCI image layout: it has no file oci-layout")
	}
	var top v1.IndexManifest
	if err := parse(f, "index.json", &top); err != nil {
		return nil, err
	}
	if len(top.Manifests) == 0 {
		return nil, errors.New("index.json: no image in it")
	}
	c := &layoutContent{files: f, hashed: map[v1.Hash]bool{}}
	images := slices.DeleteFunc(top.Manifests, func(desc v1.Descriptor) bool { return isBeside(c, desc) })
	if len(images) == 0 {
		return nil, errors.New("index.json: signatures, attestations and the like alone: no image in it")
	}
	images = slices.CompactFunc(images, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest }) // one with several tags
	if isOneImage(images) {
		idx, err := v1image.IndexOf(images, members{c})
		return []Image{{Name: name, Index: idx, Hashed: true}}, err
	}
	var all []Image
	for _, desc := range images {
		img := Image{Name: name, Hashed: true}
		if len(images) > 1 {
			img.Name += " " + nameOf(desc)
		}
		var err error
		if img.Index, err = topIndex(c, desc); err != nil {
			return nil, fmt.Errorf("%s: %w", desc.Digest, err)
		}
		all = append(all, img)
	}
	return all, nil
}

// isBeside reports whether a descriptor is of what tools put beside an image: cosign's signatures, BuildKit's
// attestations. What cannot be read is not passed over.
func isBeside(c content, desc v1.Descriptor) bool {
	if verify.IsAttestation(desc) {
		return true
	}
	if !desc.MediaType.IsImage() {
		return false
	}
	raw, err := c.manifest(desc)
	if err != nil {
		return false
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	return err == nil && verify.IsArtifact(m)
}

// topIndex returns an index itself, and one over an image that stands alone.
func topIndex(c content, desc v1.Descriptor) (v1.ImageIndex, error) {
	if desc.MediaType.IsIndex() {
		return openIndex(c, desc)
	}
	if isBeside(c, desc) {
		return nil, errors.New("a signature, an attestation or the like: no image")
	}
	return v1image.IndexOf([]v1.Descriptor{desc}, members{c})
}

// isOneImage reports whether descriptors are one image for several platforms: some
// tools put these into index.json, without an index between.
func isOneImage(descs []v1.Descriptor) bool {
	seen := map[string]bool{}
	for _, desc := range descs {
		if !desc.MediaType.IsImage() || desc.Platform == nil || seen[desc.Platform.String()] || nameOf(desc) != nameOf(descs[0]) && named(desc) {
			return false
		}
		seen[desc.Platform.String()] = true
	}
	return len(descs) > 1
}

func named(desc v1.Descriptor) bool { return nameOf(desc) != desc.Digest.String() }

func nameOf(desc v1.Descriptor) string {
	for _, key := range nameAnnotations {
		if name := desc.Annotations[key]; name != "" {
			return name
		}
	}
	return desc.Digest.String()
}

// present leaves out the images of an index that an archive does not hold:
// "docker save" of one platform writes the index of all.
func (i *Image) present(f files) error {
	listed, err := i.Index.IndexManifest()
	if err != nil {
		return err
	}
	var missing []v1.Hash
	for _, desc := range listed.Manifests {
		r, _, err := f.open(blobName(desc.Digest))
		if err == nil {
			r.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		missing = append(missing, desc.Digest)
		if desc.Platform != nil && desc.Platform.OS != "unknown" {
			i.Notes = append(i.Notes, fmt.Sprintf("%s: the archive does not hold the image for %s", i.Name, desc.Platform))
		}
	}
	if 0 < len(missing) && len(missing) < len(listed.Manifests) {
		i.Index = mutate.RemoveManifests(i.Index, match.Digests(missing...))
	}
	return nil
}
