package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// subject is an image of one or more platforms that is to be verified.
type subject struct {
	name  string
	index *foreignIndex
	// store keeps facts; nil where a layer's digest proves nothing.
	store verify.Store
	// notes are for the user: what of the image is not looked at.
	notes []string
}

// The annotations that name an image of a layout: the image-spec's and
// containerd's.
var nameAnnotations = []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}

// layoutSubjects lists the images of an OCI layout.
func layoutSubjects(name string, f files) ([]subject, error) {
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
	store := &verify.Memory{}
	images := slices.DeleteFunc(top.Manifests, func(desc v1.Descriptor) bool { return isBeside(c, desc) })
	if len(images) == 0 {
		return nil, errors.New("index.json: signatures, attestations and the like alone: no image in it")
	}
	if isOneImage(images) {
		return []subject{{name: name, index: indexOf(c, images...), store: store}}, nil
	}
	var subjects []subject
	for _, desc := range images {
		s := subject{name: name, store: store}
		if len(images) > 1 {
			s.name += " " + nameOf(desc)
		}
		var err error
		if s.index, err = topIndex(c, desc); err != nil {
			return nil, fmt.Errorf("%s: %w", desc.Digest, err)
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

// isBeside tells what tools put beside an image: cosign's signatures, BuildKit's
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

// topIndex gives an index itself, and one over an image that stands alone.
func topIndex(c content, desc v1.Descriptor) (*foreignIndex, error) {
	if desc.MediaType.IsIndex() {
		return openIndex(c, desc)
	}
	if isBeside(c, desc) {
		return nil, errors.New("a signature, an attestation or the like: no image")
	}
	return indexOf(c, desc), nil
}

// isOneImage tells descriptors that are one image for several platforms: some
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
func (s *subject) present(f files) {
	manifest := s.index.parsed.DeepCopy()
	manifest.Manifests = nil
	for _, desc := range s.index.parsed.Manifests {
		if _, _, err := f.open("blobs/" + desc.Digest.Algorithm + "/" + desc.Digest.Hex); errors.Is(err, fs.ErrNotExist) {
			if desc.Platform != nil && desc.Platform.OS != "unknown" {
				s.notes = append(s.notes, fmt.Sprintf("%s: the archive does not hold the image for %s", s.name, desc.Platform))
			}
			continue
		}
		manifest.Manifests = append(manifest.Manifests, desc)
	}
	if len(manifest.Manifests) > 0 {
		s.index.parsed = manifest
	}
}
