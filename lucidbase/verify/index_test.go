package verify

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

var amd64, arm64 = v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}

func imageFor(t *testing.T, p v1.Platform) v1.Image {
	img := imageOf(t, cleanConfig(), []tarEntry{file("/app/x", p.String())})
	config, err := img.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	img, err = mutate.ConfigFile(img, config)
	require.NoError(t, err)
	return img
}

func part(img mutate.Appendable, p *v1.Platform) mutate.IndexAddendum {
	return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}}
}

func TestIndex(t *testing.T) {
	a, b := imageFor(t, amd64), imageFor(t, arm64)
	attestation := part(imageFor(t, v1.Platform{}), &v1.Platform{OS: "unknown", Architecture: "unknown"})
	attestation.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	short := part(a, &amd64)
	short.Size = 7
	both := mutate.AppendManifests(empty.Index, part(a, &amd64), part(b, &arm64))
	v8 := arm64
	v8.Variant = "v8"
	for name, c := range map[string]struct {
		parts []mutate.IndexAddendum
		want  []v1.Platform
		found []string // platform: found
	}{
		"one":                  {parts: []mutate.IndexAddendum{part(a, &amd64)}},
		"one without platform": {parts: []mutate.IndexAddendum{part(a, nil)}, want: []v1.Platform{amd64}},
		"both asked for":       {parts: []mutate.IndexAddendum{part(a, &amd64), part(b, &arm64)}, want: []v1.Platform{arm64, amd64}},
		"v8":                   {parts: []mutate.IndexAddendum{part(b, &v8)}, want: []v1.Platform{arm64}},
		"nested":               {parts: []mutate.IndexAddendum{part(both, nil)}, want: []v1.Platform{arm64, amd64}},
		"attestation":          {parts: []mutate.IndexAddendum{part(a, &amd64), attestation}},
		"none":                 {found: []string{": it has no image"}},
		"attestation alone":    {parts: []mutate.IndexAddendum{attestation}, found: []string{": it has no image"}},
		"none as asked for":    {want: []v1.Platform{arm64}, found: []string{"linux/arm64: no image for linux/arm64, which was asked for"}},
		"one missing":          {parts: []mutate.IndexAddendum{part(a, &amd64)}, want: []v1.Platform{amd64, arm64}, found: []string{"linux/arm64: no image for"}},
		"twice":                {parts: []mutate.IndexAddendum{part(a, &amd64), part(a, &amd64)}, found: []string{"linux/amd64: manifest sha256:"}},
		"lie":                  {parts: []mutate.IndexAddendum{part(a, &arm64)}, found: []string{"linux/arm64: manifest sha256:"}},
		"no platform":          {parts: []mutate.IndexAddendum{part(a, nil), part(b, &arm64)}, found: []string{"linux/amd64: manifest sha256:"}},
		"size":                 {parts: []mutate.IndexAddendum{short}, found: []string{"linux/amd64: manifest sha256:"}},
	} {
		t.Run(name, func(t *testing.T) {
			contract := func(v1.Platform) Contract { return Contract{Only: []string{"index"}} }
			idx := mutate.IndexMediaType(mutate.AppendManifests(empty.Index, c.parts...), types.OCIImageIndex)
			results, err := Index(t.Context(), idx, c.want, contract, nil)
			require.NoError(t, err)
			var got []string
			for _, r := range results {
				for _, f := range r.Findings {
					require.Equal(t, "index", f.Path)
					got = append(got, platformText(r.Platform)+": "+f.Found)
				}
			}
			require.Len(t, got, len(c.found), "%q", got)
			for i, want := range c.found {
				require.True(t, strings.HasPrefix(got[i], want), "%q", got[i])
			}
		})
	}
}

func platformText(p v1.Platform) string {
	if p.OS == "" {
		return ""
	}
	return p.String()
}

// What the index says of an image's platform is what its config must say.
func TestIndexPlatform(t *testing.T) {
	idx := mutate.AppendManifests(empty.Index, part(imageFor(t, amd64), &arm64))
	results, err := Index(t.Context(), idx, nil, func(v1.Platform) Contract { return Contract{Only: []string{"platform"}} }, nil)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Len(t, results[0].Findings, 1)
	require.Equal(t, "config:Architecture", results[0].Findings[0].Path)
	require.NotZero(t, results[0].Digest)
}

func TestIndexWaiver(t *testing.T) {
	contract := func(v1.Platform) Contract {
		return Contract{Waivers: []Waiver{{"index", "index", "later"}}}
	}
	results, err := Index(t.Context(), empty.Index, []v1.Platform{arm64}, contract, nil)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Empty(t, results[0].Findings)
	require.Len(t, results[0].Waived, 1)
}
