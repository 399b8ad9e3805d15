package supply

import (
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Upstream returns the layers that are made from an upstream image for a platform: the
// root filesystem, and the headers for a compiler. If neither the lock nor known says
// what the image holds, the error is a lucidbase.UnresolvedUpstreamError.
func Upstream(im lock.Upstream, d lock.Debian, known lucidbase.Upstreams, p ocispecs.Platform) (rootfs, headers lucidbase.Input, err error) {
	locked, err := Resolved(im, d, known, p)
	if err != nil {
		return lucidbase.Input{}, lucidbase.Input{}, err
	}
	pin := im.Pin()
	return lucidbase.Input{Kind: ImageRootfs, Platform: p, Layer: locked.Rootfs, Suites: d.Suites, Upstream: pin},
		lucidbase.Input{Kind: ImageHeaders, Platform: p, Layer: locked.Headers, Upstream: pin}, nil
}

// UpstreamTwin returns what a twin has of an upstream image besides its base on a platform.
func UpstreamTwin(im lock.Upstream, dev lock.UpstreamDev, p ocispecs.Platform) lucidbase.Input {
	return lucidbase.Input{Kind: ImageDev, Platform: p, Layer: dev.Added, Upstream: im.Pin()}
}

// Resolved returns what an upstream image holds for a platform, from the lock
// or else from known.
func Resolved(im lock.Upstream, d lock.Debian, known lucidbase.Upstreams, p ocispecs.Platform) (lock.UpstreamPlatform, error) {
	platform := lucidbase.FormatPlatform(p)
	if locked, ok := im.Platforms[platform]; ok {
		return locked, nil
	}
	if locked, ok := known[im.Digest].Platforms[platform]; ok {
		return locked, nil
	}
	return lock.UpstreamPlatform{}, &lucidbase.UnresolvedUpstreamError{Upstream: im, Debian: d, Platform: p}
}
