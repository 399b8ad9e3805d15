package lucidbase_test

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestParsePlatform(t *testing.T) {
	for text, want := range map[string]ocispecs.Platform{
		"linux/amd64":    lucidbase.LinuxAMD64,
		" linux/arm64 ":  lucidbase.LinuxARM64,
		"linux/arm64/v8": lucidbase.LinuxARM64,
	} {
		got, err := lucidbase.ParsePlatform(text)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "linux", "arm64", "linux/arm", "linux/arm/v7", "windows/amd64", "linux/amd64/v3"} {
		_, err := lucidbase.ParsePlatform(text)
		require.ErrorContains(t, err, "linux/arm64", text)
	}
}

func FuzzParsePlatform(f *testing.F) {
	f.Add("linux/arm64/v8")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := lucidbase.ParsePlatform(text)
		if err != nil {
			return
		}
		again, err := lucidbase.ParsePlatform(lucidbase.FormatPlatform(p))
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}

func TestPlatformsValidate(t *testing.T) {
	require.NoError(t, lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64}.Validate())
	require.ErrorContains(t, lucidbase.Platforms{Target: lucidbase.LinuxARM64}.Validate(), "Platforms.Build")
}

// A graph names an input by its manifest's digest before anyone made the layer.
func TestInputImage(t *testing.T) {
	layer := lock.Layer{Digest: digest.FromString("layer").String(), Size: 5}
	in := lucidbase.Input{Kind: "rootfs", Platform: lucidbase.LinuxARM64, Layer: layer}
	config, manifest, d := in.Image()
	require.Equal(t, digest.FromBytes(manifest), d)

	var m ocispecs.Manifest
	require.NoError(t, json.Unmarshal(manifest, &m))
	require.Equal(t, digest.FromBytes(config), m.Config.Digest)
	require.Len(t, m.Layers, 1)
	require.Equal(t, ocispecs.MediaTypeImageLayer, m.Layers[0].MediaType)
	require.Equal(t, layer.Size, m.Layers[0].Size)

	var c ocispecs.Image
	require.NoError(t, json.Unmarshal(config, &c))
	require.Equal(t, []digest.Digest{m.Layers[0].Digest}, c.RootFS.DiffIDs)
	require.Equal(t, "arm64", c.Architecture)
}
