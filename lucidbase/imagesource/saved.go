package imagesource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/internal/v1image"
)

// archiveImages lists the images of a tar, or of a directory with the same files: an
// OCI layout's, "docker save"'s, or podman's docker-dir.
func archiveImages(name string, f files) ([]Image, error) {
	docker := has(f, "manifest.json")
	if has(f, "oci-layout") && has(f, "index.json") {
		all, err := layoutImages(name, f)
		for i := range all {
			if docker {
				err = errors.Join(err, all[i].present(f))
			}
		}
		return all, err
	}
	if !docker {
		return nil, fmt.Errorf("no OCI image layout and no archive of images: it has neither oci-layout nor manifest.json")
	}
	raw, err := readFile(f, "manifest.json")
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) { // a manifest itself, not a list of images
		return transportImages(name, f, raw)
	}
	var saved tarball.Manifest
	if err := json.Unmarshal(raw, &saved); err != nil {
		return nil, fmt.Errorf("parsing manifest.json: %w", err)
	}
	var all []Image
	for i, d := range saved {
		img := Image{Name: name}
		if len(saved) > 1 {
			img.Name = fmt.Sprintf("%s %s", name, strings.Join(append(d.RepoTags, fmt.Sprintf("image %d", i+1))[:1], ""))
		}
		desc, c, err := savedImage(f, d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", img.Name, err)
		}
		if img.Index, err = v1image.IndexOf([]v1.Descriptor{desc}, members{c}); err != nil {
			return nil, fmt.Errorf("%s: %w", img.Name, err)
		}
		all = append(all, img)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("manifest.json: no image in it")
	}
	return all, nil
}

// savedContent is an image of a "docker save" archive with the manifest that it
// would have: there is none in it. Its layers' digests are what the config claims;
// they are found by name.
type savedContent struct {
	files
	raw, config []byte
}

func (s *savedContent) manifest(v1.Descriptor) ([]byte, error) { return s.raw, nil }

// Blob finds a config by its media type, and a layer by its name.
func (s *savedContent) Blob(desc v1.Descriptor) (io.ReadCloser, error) {
	if desc.MediaType.IsConfig() {
		return io.NopCloser(bytes.NewReader(s.config)), nil
	}
	r, _, err := s.open(desc.Annotations[savedName])
	return r, err
}

// savedName is the annotation with a layer's name in the archive.
const savedName = "name"

func savedImage(f files, d tarball.Descriptor) (v1.Descriptor, content, error) {
	c := &savedContent{files: f}
	var err error
	if c.config, err = savedConfig(f, d.Config); err != nil {
		return v1.Descriptor{}, nil, err
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(c.config))
	if err != nil {
		return v1.Descriptor{}, nil, fmt.Errorf("parsing %s: %w", d.Config, err)
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	m.Config = v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: v1image.Hash(c.config), Size: int64(len(c.config))}
	for i, name := range d.Layers {
		desc := v1.Descriptor{Digest: v1image.Hash(nil), Annotations: map[string]string{savedName: name}}
		if i < len(config.RootFS.DiffIDs) {
			desc.Digest = config.RootFS.DiffIDs[i]
		}
		if desc.MediaType, desc.Size, err = savedLayer(f, name); err != nil {
			return v1.Descriptor{}, nil, fmt.Errorf("layer %d: %w", i+1, err)
		}
		m.Layers = append(m.Layers, desc)
	}
	c.raw, err = json.Marshal(m)
	return v1.Descriptor{MediaType: m.MediaType, Size: int64(len(c.raw))}, c, err
}

var digestName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// savedConfig reads a config, whose name is its digest.
func savedConfig(f files, name string) ([]byte, error) {
	data, err := readFile(f, name)
	if err != nil {
		return nil, err
	}
	want := strings.TrimSuffix(path.Base(name), ".json")
	if got := v1image.Hash(data).Hex; digestName.MatchString(want) && got != want {
		return nil, fmt.Errorf("config sha256:%s: its content is sha256:%s", want, got)
	}
	return data, nil
}

// savedLayer returns the media type that fits a layer's first bytes.
func savedLayer(f files, name string) (types.MediaType, int64, error) {
	r, size, err := f.open(name)
	if err != nil {
		return "", 0, err
	}
	defer r.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	if err != nil && n == 0 {
		return "", 0, fmt.Errorf("%s: %w", name, err)
	}
	switch v1image.Compression(head[:n]) {
	case v1image.Gzip:
		return types.DockerLayer, size, nil
	case v1image.Zstd:
		return dockerZstdLayer, size, nil
	}
	return types.DockerUncompressedLayer, size, nil
}

// dockerZstdLayer is what Docker calls a zstd layer in a manifest of its own.
const dockerZstdLayer = "application/vnd.docker.image.rootfs.diff.tar.zstd"
