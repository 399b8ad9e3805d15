package variants

import (
	"errors"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Alpine is the smallest image: musl, the Python 3.11 of the official Alpine image
// with what that needs, and clients for networks and databases. Its zero value
// builds wherever the official image, or a mirror of it, can be reached. A package
// that nobody publishes for musl is compiled, as the lock says. The fields are
// those of Options, which says more of them.
type Alpine struct {
	Version  string            // label org.opencontainers.image.version; empty sets none
	Env      map[string]string // adds to the environment, or replaces what is set here
	Labels   map[string]string // adds to the labels, or replaces what is set here
	Packages lock.Packages     // further packages, of lock.Read
	Waivers  []verify.Waiver   // excuse single files from single rules of the contract
	Locks    *lock.Set         // what the image is made from; nil means lock.Default
}

// Graph returns the image's graph for one platform. If the locks do not say what the
// official image holds, the error is a lucidbase.UnresolvedUpstreamError.
func (v Alpine) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) { return v.base().Graph(p) }

func (v Alpine) base() base {
	return base{
		name:        "alpine-base",
		description: "Distroless Python " + lock.PythonMinor + " on Alpine's musl with network and database clients",
		tier:        lock.Minimal,
		Options:     Options(v),
		musl:        true,
		system:      alpine,
	}
}

// alpine is the system of the official Alpine image.
func alpine(locks *lock.Set, p lucidbase.Platforms) (system, error) {
	if locks.Alpine.Digest == "" {
		return system{}, errors.New("Locks: no Alpine image")
	}
	found, err := supply.Resolved(locks.Alpine, locks.Debian, p.Upstreams, p.Target)
	if err != nil {
		return system{}, err
	}
	root, headers, err := supply.Upstream(locks.Alpine, locks.Debian, p.Upstreams, p.Target)
	if err != nil {
		return system{}, err
	}
	return system{
		root:    root,
		headers: &headers,
		what:    "Python and what it needs, of an Alpine image",
		target:  stage.Target{Platform: p.Target, Version: found.Python, Prefix: "/usr/local", Musl: true},
		kept:    found.Kept,
		labels: map[string]string{
			ocispecs.AnnotationBaseImageName:   locks.Alpine.Reference,
			ocispecs.AnnotationBaseImageDigest: locks.Alpine.Digest,
		},
		twin:   func() (twin, error) { return alpineTwin(locks.Alpine, found.Dev, p.Target) },
		digest: func(t lock.Tier, further lock.Packages) string { return locks.UpstreamDigest(found, t, further) },
	}, nil
}
