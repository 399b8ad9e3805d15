package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var baseRule = Rule{
	Name:    "base",
	Summary: "labels say what the image was made from: its base's name and digest (or the digest of this family's locks), well-formed, and the lock's own when one is given",
	Why:     "nobody can tell which images to build again when a base gets a fix",
	Fix:     "set " + baseNameLabel + " and " + baseDigestLabel + " when the image is built",
	Check:   checkBase,
}

// The labels that say what an image was made from. An image of this family that
// stands on packages alone has no base, but the digest of its locks.
// https://github.com/opencontainers/image-spec/blob/main/annotations.md
const (
	baseNameLabel   = "org.opencontainers.image.base.name"
	baseDigestLabel = "org.opencontainers.image.base.digest"
	lockDigestLabel = "io.github.lucid-project.lock.digest"
)

func label(name string) string { return "config:Labels." + name }

func checkBase(im *overlay.Image) []overlay.Hit {
	labels := im.Config.Config.Labels
	hits := baseLabels(labels)
	for _, name := range slices.Sorted(maps.Keys(im.Want.Labels)) {
		want := im.Want.Labels[name]
		if got, ok := labels[name]; !ok {
			hits = append(hits, overlay.Hit{Path: label(name), Layer: -1, Found: fmt.Sprintf("missing, the lock says %q", want)})
		} else if got != want {
			hits = append(hits, overlay.Hit{Path: label(name), Layer: -1, Found: fmt.Sprintf("%q, the lock says %q", got, want)})
		}
	}
	return hits
}

func baseLabels(labels map[string]string) []overlay.Hit {
	baseName, baseDigest, locks := labels[baseNameLabel], labels[baseDigestLabel], labels[lockDigestLabel]
	if baseName == "" && baseDigest == "" && locks == "" {
		return overlay.AtConfig("config:Labels", "no label says what the image was made from")
	}
	var hits []overlay.Hit
	wrong := func(name, format string, args ...any) {
		hits = append(hits, overlay.Hit{Path: label(name), Layer: -1, Found: fmt.Sprintf(format, args...)})
	}
	switch {
	case baseName != "" && baseDigest == "":
		wrong(baseDigestLabel, "missing, where the base is named %q: a name can be given to another image", baseName)
	case baseName == "" && baseDigest != "":
		wrong(baseNameLabel, "missing, where the base's digest is given: nobody knows where to look for it")
	}
	ref, err := name.ParseReference(baseName)
	if baseName != "" && err != nil {
		wrong(baseNameLabel, "%q is no image reference", baseName)
	}
	if _, err := v1.NewHash(baseDigest); baseDigest != "" && err != nil {
		wrong(baseDigestLabel, "%q is no digest", baseDigest)
	}
	if pinned, ok := ref.(name.Digest); ok && baseDigest != "" && pinned.DigestStr() != baseDigest {
		wrong(baseDigestLabel, "%q, the base's name says %q", baseDigest, pinned.DigestStr())
	}
	if _, err := v1.NewHash(locks); locks != "" && err != nil {
		wrong(lockDigestLabel, "%q is no digest", locks)
	}
	return hits
}
