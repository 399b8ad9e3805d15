package variants

import (
	"errors"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Alpine is the smallest image: musl, the Python 3.11 of the official Alpine image
// with what that needs, and clients for networks and databases. Its zero value
// builds wherever the official image, or a mirror of it, can be reached. A package
// that nobody publishes for musl is compiled, as the lock says.
type Alpine Options

// Graph gives the image's graph for one platform. What the locks do not say of
// the official image it asks for with a lucidbase.UnresolvedImageError.
func (v Alpine) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return base{
		name:        "alpine-base",
		description: "Distroless Python 3.11 on Alpine's musl with network and database clients",
		tier:        lock.Minimal,
		Options:     Options(v),
		system:      v.system,
	}.Graph(p)
}

func (v Alpine) system(locks *lock.Set, p lucidbase.Platforms) (system, error) {
	if locks.Alpine.Digest == "" {
		return system{}, errors.New("Locks: no Alpine image")
	}
	found, err := lucidbase.ResolvedImage(locks.Alpine, locks.Debian, p.Images, p.Target)
	if err != nil {
		return system{}, err
	}
	root, headers, err := lucidbase.ImageInputs(locks.Alpine, locks.Debian, p.Images, p.Target)
	if err != nil {
		return system{}, err
	}
	return system{
		root:    root,
		headers: &headers,
		history: "Python and what it needs, of an Alpine image",
		target:  stage.Target{Platform: p.Target, Version: found.Python, Prefix: "/usr/local", Musl: true},
		kept:    found.Kept,
		labels: map[string]string{
			ocispecs.AnnotationBaseImageName:   locks.Alpine.Reference,
			ocispecs.AnnotationBaseImageDigest: locks.Alpine.Digest,
		},
		digest: locks.ImageDigest(found, lock.Minimal, v.Packages),
	}, nil
}
