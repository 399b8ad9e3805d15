package supply

import (
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Image returns the layers that are made from an upstream image for a
// platform: the root filesystem, and the headers for a compiler. An image that
// neither the lock nor known says enough of is a lucidbase.UnresolvedImageError.
func Image(im lock.Image, d lock.Debian, known lucidbase.Images, p ocispecs.Platform) (rootfs, headers lucidbase.Input, err error) {
	locked, err := Resolved(im, d, known, p)
	if err != nil {
		return lucidbase.Input{}, lucidbase.Input{}, err
	}
	pin := im.Pin()
	return lucidbase.Input{Kind: ImageRootfs, Platform: p, Layer: locked.Rootfs, Suites: d.Suites, Upstream: pin},
		lucidbase.Input{Kind: ImageHeaders, Platform: p, Layer: locked.Headers, Upstream: pin}, nil
}

// Resolved returns what an upstream image holds for a platform, from the lock
// or else from known.
func Resolved(im lock.Image, d lock.Debian, known lucidbase.Images, p ocispecs.Platform) (lock.ImagePlatform, error) {
	platform := lucidbase.FormatPlatform(p)
	if locked, ok := im.Platforms[platform]; ok {
		return locked, nil
	}
	if locked, ok := known[im.Digest].Platforms[platform]; ok {
		return locked, nil
	}
	return lock.ImagePlatform{}, &lucidbase.UnresolvedImageError{Image: im, Debian: d, Platform: p}
}
