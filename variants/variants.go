// Package variants holds the base images: structs that are Specs, whose zero
// value builds.
package variants

import (
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Python is the image for web services: Python 3.11 with web frameworks,
// network and database clients, metrics and logging. Its zero value builds.
type Python Options

// Graph returns the image's graph for one platform.
func (v Python) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return Debian{
		Name:        "python-base",
		Description: "Distroless Python 3.11 with web frameworks, network and database clients",
		Tier:        lock.Python,
		Options:     Options(v),
	}.Graph(p)
}

// Standard is the image with everything: what Python has, and YAML, password
// hashes, JWT, DNS, time zones and compression. Its zero value builds. All its
// layers but the last are Python's.
type Standard Options

// Graph returns the image's graph for one platform.
func (v Standard) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return Debian{
		Name:        "base",
		Description: "Distroless Python 3.11 with the full set of packages",
		Tier:        lock.Standard,
		Options:     Options(v),
	}.Graph(p)
}

// Bare is the smallest image of Debian: the interpreter, and no packages. It is for
// a service whose packages cannot be had together with those of another base. Its
// zero value builds.
type Bare Options

// Graph returns the image's graph for one platform.
func (v Bare) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return Debian{
		Name:        "bare-base",
		Description: "Distroless Python 3.11 without packages",
		Tier:        lock.Bare,
		Options:     Options(v),
	}.Graph(p)
}
