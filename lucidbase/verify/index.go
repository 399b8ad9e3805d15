package verify

import (
	"context"
	"fmt"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/rules"
)

// Index judges the image of every platform of an index, and the index itself.
// want lists the platforms asked for; none means whatever is there. A platform
// that is asked for and missing has a Result of its own, with that finding.
// contract returns what a platform's image is held to; where that names no
// platform, the one that the index says is taken. Attestations and
// signatures are no images and are passed over.
func Index(ctx context.Context, idx v1.ImageIndex, want []v1.Platform, contract func(v1.Platform) Contract, store Store) ([]Result, error) {
	members, err := flatten(idx, 0)
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, m := range members {
		c := contract(m.platform)
		if c.Platform.OS == "" && c.Platform.Architecture == "" {
			c.Platform = m.platform
		}
		r, err := verifyImage(ctx, m.image, c, store, m.hits(members[:i], len(members)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.platform, err)
		}
		r.Platform, r.Digest = m.platform, m.desc.Digest
		results = append(results, r)
	}
	if len(members) == 0 && len(want) == 0 {
		results = append(results, lacking(v1.Platform{}, contract, "it has no image"))
	}
	for _, p := range want {
		if !has(members, p) {
			results = append(results, lacking(p, contract, "no image for "+p.String()+", which was asked for"))
		}
	}
	return results, nil
}

// member is an image of an index.
type member struct {
	desc     v1.Descriptor
	image    v1.Image
	size     int64
	platform v1.Platform // the descriptor's, or the config's where it has none
	config   v1.Platform
}

// maxDepth is how deep indexes may be nested; the builders in use make one level.
const maxDepth = 4

// flatten lists the images of an index and of the indexes in it.
func flatten(idx v1.ImageIndex, depth int) ([]member, error) {
	manifest, err := idx.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("reading the index: indexes nested more than %d deep", maxDepth)
	}
	var members []member
	for _, desc := range manifest.Manifests {
		switch {
		case IsAttestation(desc):
		case desc.MediaType.IsIndex():
			inner, err := idx.ImageIndex(desc.Digest)
			if err != nil {
				return nil, fmt.Errorf("reading index %s: %w", desc.Digest, err)
			}
			more, err := flatten(inner, depth+1)
			if err != nil {
				return nil, err
			}
			members = append(members, more...)
		default:
			m, err := readMember(idx, desc)
			if err != nil {
				return nil, fmt.Errorf("reading manifest %s: %w", desc.Digest, err)
			}
			if m.image != nil {
				members = append(members, m)
			}
		}
	}
	return members, nil
}

// IsAttestation reports whether an index's line is what BuildKit puts beside an image
// about its making. No runtime takes it for an image: there is no such platform.
// https://docs.docker.com/build/metadata/attestations/attestation-storage/
func IsAttestation(desc v1.Descriptor) bool {
	p := desc.Platform
	return p != nil && p.OS == "unknown" && p.Architecture == "unknown" &&
		desc.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// IsArtifact reports whether a manifest is no image's but has something about one: a
// signature (cosign), an attestation (in-toto), a list of parts. Only its own words
// count, not those of an index, and one layer of files makes it an image.
func IsArtifact(m *v1.Manifest) bool {
	if len(m.Layers) == 0 {
		return m.Subject != nil && !m.Config.MediaType.IsConfig()
	}
	for _, layer := range m.Layers {
		if !document.MatchString(string(layer.MediaType)) {
			return false
		}
	}
	return true
}

// document matches the media types of layers that are texts.
var document = regexp.MustCompile(`^text/|[+/](json|xml|jwt)$|^application/vnd\.dev\.(cosign|sigstore)\.|^application/vnd\.(in-toto|dsse|syft|cyclonedx)`)

// readMember reads an image of an index; the member of an artifact has none.
func readMember(idx v1.ImageIndex, desc v1.Descriptor) (m member, err error) {
	m.desc = desc
	if m.image, err = idx.Image(desc.Digest); err != nil {
		return m, err
	}
	if manifest, err := m.image.Manifest(); err == nil && IsArtifact(manifest) {
		return member{}, nil
	}
	if m.size, err = m.image.Size(); err != nil {
		return m, err
	}
	config, err := m.image.ConfigFile()
	if err != nil {
		return m, fmt.Errorf("reading the config: %w", err)
	}
	m.config = rules.PlatformOf(config)
	m.platform = m.config
	if desc.Platform != nil {
		m.platform = *desc.Platform
	}
	return m, nil
}

// hits are what is wrong with the index's line about an image; before are the
// images in front of it, of all.
func (m member) hits(before []member, all int) []overlay.Hit {
	var hits []overlay.Hit
	wrong := func(format string, args ...any) {
		hits = append(hits, overlay.Hit{Path: "index", Layer: -1, Found: fmt.Sprintf("manifest %s: ", m.desc.Digest) + fmt.Sprintf(format, args...)})
	}
	if m.desc.Platform == nil && all > 1 {
		wrong("the index does not say for which platform it is")
	}
	if !rules.SamePlatform(m.platform, m.config) {
		wrong("the index says %s, its config %s", rules.PlatformText(m.platform), rules.PlatformText(m.config))
	}
	if m.size != m.desc.Size {
		wrong("%d bytes, the index says %d", m.size, m.desc.Size)
	}
	if has(before, m.platform) {
		wrong("a second image for %s; a runtime takes either", rules.PlatformText(m.platform))
	}
	return hits
}

func has(members []member, p v1.Platform) bool {
	for _, m := range members {
		if rules.SamePlatform(m.platform, p) && m.platform.OSVersion == p.OSVersion {
			return true
		}
	}
	return false
}

// lacking is the result for an image that is not there.
func lacking(p v1.Platform, contract func(v1.Platform) Contract, found string) Result {
	r := Result{Platform: p}
	c := contract(p)
	im := &overlay.Image{Index: overlay.AtConfig("index", found)}
	for _, rule := range all {
		if rule.Name == "index" {
			r.Findings, r.Waived = rule.judge(im, c)
		}
	}
	return r
}
