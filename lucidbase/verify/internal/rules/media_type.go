package rules

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var mediaTypeRule = Rule{
	Name:    "media-type",
	Summary: "manifest, config and layers are all OCI's or all Docker's, of known types, and compressed as these say",
	Why:     "some runtimes and registries refuse it, others take a layer for what it is not",
	Fix:     "push the image again with a tool that converts all of it",
	Check:   checkMediaType,
}

// compressions are those that a layer's media type names.
var compressions = map[types.MediaType]string{
	types.OCILayer: "gzip", types.OCILayerZStd: "zstd", types.OCIUncompressedLayer: "none",
	types.DockerLayer: "gzip", types.DockerUncompressedLayer: "none",
	"application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
}

// checkMediaType asks that manifest, config and layers are of one family, OCI's
// or Docker's, and that a layer is what its media type says.
func checkMediaType(im *overlay.Image) []overlay.Hit {
	m := im.Manifest
	if m == nil {
		return nil
	}
	var hits []overlay.Hit
	wrong := func(layer int, format string, args ...any) {
		hits = append(hits, overlay.Hit{Path: "manifest", Layer: layer, Found: fmt.Sprintf(format, args...)})
	}
	// OCI lets the manifest's own be left out (image-spec, manifest.md).
	family := familyOf(m.MediaType)
	if m.MediaType == "" {
		family = "OCI"
	}
	if family == "" {
		wrong(-1, "manifest of unknown media type %q", m.MediaType)
	}
	if got := familyOf(m.Config.MediaType); !m.Config.MediaType.IsConfig() {
		wrong(-1, "config of unknown media type %q", m.Config.MediaType)
	} else if got != family && family != "" {
		wrong(-1, "%s config in %s manifest: %q", got, family, m.Config.MediaType)
	}
	for i, desc := range m.Layers {
		if got := familyOf(desc.MediaType); compressions[desc.MediaType] != "" && got != family && family != "" {
			wrong(at(i, im), "layer %d: %s layer in %s manifest: %q", i+1, got, family, desc.MediaType)
		}
		if found := layerMedia(desc, i, im); found != "" {
			wrong(at(i, im), "layer %d: %s", i+1, found)
		}
	}
	return hits
}

func layerMedia(desc v1.Descriptor, i int, im *overlay.Image) string {
	want := compressions[desc.MediaType]
	switch {
	case !desc.MediaType.IsDistributable():
		return fmt.Sprintf("%q: not with the image in every registry, but fetched from somewhere else", desc.MediaType)
	case want == "":
		return fmt.Sprintf("unknown media type %q", desc.MediaType)
	case i >= len(im.Layers) || im.Layers[i].Compression == "" || im.Layers[i].Compression == want:
		return ""
	}
	return fmt.Sprintf("%q says its compression is %s, it is %s", desc.MediaType, want, im.Layers[i].Compression)
}

// at is the layer that a manifest's line means, if the image has it.
func at(i int, im *overlay.Image) int {
	if i < len(im.Layers) {
		return i
	}
	return -1
}

func familyOf(m types.MediaType) string {
	switch {
	case strings.HasPrefix(string(m), "application/vnd.oci."):
		return "OCI"
	case strings.HasPrefix(string(m), "application/vnd.docker."):
		return "Docker"
	}
	return ""
}
