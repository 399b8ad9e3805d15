package lucidbase

import (
	"fmt"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// UnresolvedUpstreamError is a Graph's whole error when nothing is missing but what
// an upstream image holds: the lock names the image by digest and does not say.
// Whoever can reach the image finds out and asks again with Platforms.Upstreams.
type UnresolvedUpstreamError struct {
	Upstream lock.Upstream
	Debian   lock.Debian
	Platform ocispecs.Platform
}

// Error names the image and the platform.
func (e *UnresolvedUpstreamError) Error() string {
	return fmt.Sprintf("%s@%s: not yet resolved for %s", e.Upstream.Reference, e.Upstream.Digest, FormatPlatform(e.Platform))
}

// Upstreams are upstream images that were resolved, by the digest of their index.
// It adds nothing to what a lock pins: the digests in it follow from that one.
type Upstreams map[string]lock.Upstream
