package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// withManifest is an image whose manifest says something else of its blobs.
type withManifest struct {
	v1.Image
	manifest *v1.Manifest
}

func (w withManifest) Manifest() (*v1.Manifest, error) { return w.manifest, nil }

func TestMediaType(t *testing.T) {
	good := imageOf(t, cleanConfig(), cleanLayer())
	for name, c := range map[string]struct {
		change func(*v1.Manifest)
		found  []string
	}{
		"OCI":              {func(*v1.Manifest) {}, nil},
		"OCI without type": {func(m *v1.Manifest) { m.MediaType = "" }, nil},
		"Docker": {func(m *v1.Manifest) {
			m.MediaType, m.Config.MediaType, m.Layers[0].MediaType = types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer
		}, nil},
		"Docker's config":     {func(m *v1.Manifest) { m.Config.MediaType = types.DockerConfigJSON }, []string{"manifest: Docker config in OCI manifest"}},
		"Docker's layer":      {func(m *v1.Manifest) { m.Layers[0].MediaType = types.DockerLayer }, []string{"manifest: layer 1: Docker layer in OCI manifest"}},
		"not zstd":            {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCILayerZStd }, []string{"manifest: layer 1: \"application/vnd.oci.image.layer.v1.tar+zstd\" says its compression is zstd, it is gzip"}},
		"not plain":           {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCIUncompressedLayer }, []string{"manifest: layer 1: \"application/vnd.oci.image.layer.v1.tar\" says its compression is none, it is gzip"}},
		"not distributable":   {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCIRestrictedLayer }, []string{"manifest: layer 1: "}},
		"encrypted":           {func(m *v1.Manifest) { m.Layers[0].MediaType += "+encrypted" }, []string{"manifest: layer 1: unknown media type"}},
		"config of something": {func(m *v1.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" }, []string{"manifest: config of unknown media type"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := good.Manifest()
			require.NoError(t, err)
			m = m.DeepCopy()
			c.change(m)
			startsWith(t, c.found, found(t, "media-type", withManifest{good, m}, verify.Contract{}))
		})
	}
}
