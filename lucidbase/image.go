package lucidbase

import (
	"fmt"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// UnresolvedImageError is a Graph's whole error when nothing is missing but what
// an upstream image holds: the lock names the image by digest and does not say.
// Whoever can reach the image finds out and asks again with Platforms.Images.
type UnresolvedImageError struct {
	Image    lock.Image
	Debian   lock.Debian
	Platform ocispecs.Platform
}

// Error names the image and the platform.
func (e *UnresolvedImageError) Error() string {
	return fmt.Sprintf("%s@%s: not yet resolved for %s", e.Image.Reference, e.Image.Digest, FormatPlatform(e.Platform))
}

// Images are upstream images that were resolved, by the digest of their index.
// It adds nothing to what a lock pins: the digests in it follow from that one.
type Images map[string]lock.Image

// ImageInputs gives the layers that are made from an upstream image for a
// platform: the root filesystem, and the headers for a compiler. An image that
// neither the lock nor known says enough of is an UnresolvedImageError.
func ImageInputs(im lock.Image, d lock.Debian, known Images, p ocispecs.Platform) (rootfs, headers Input, err error) {
	locked, err := ResolvedImage(im, d, known, p)
	if err != nil {
		return Input{}, Input{}, err
	}
	pin := im.Pin()
	return Input{Kind: ImageRootfs, Platform: p, Layer: locked.Rootfs, Suites: d.Suites, Source: pin},
		Input{Kind: ImageHeaders, Platform: p, Layer: locked.Headers, Source: pin}, nil
}

// ResolvedImage gives what an upstream image holds for a platform, from the lock
// or else from known.
func ResolvedImage(im lock.Image, d lock.Debian, known Images, p ocispecs.Platform) (lock.ImagePlatform, error) {
	platform := FormatPlatform(p)
	if locked, ok := im.Platforms[platform]; ok {
		return locked, nil
	}
	if locked, ok := known[im.Digest].Platforms[platform]; ok {
		return locked, nil
	}
	return lock.ImagePlatform{}, &UnresolvedImageError{Image: im, Debian: d, Platform: p}
}
