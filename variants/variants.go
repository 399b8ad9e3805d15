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

// Graph gives the image's graph for one platform.
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

// Graph gives the image's graph for one platform.
func (v Standard) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return Debian{
		Name:        "base",
		Description: "Distroless Python 3.11 with the full set of packages",
		Tier:        lock.Standard,
		Options:     Options(v),
	}.Graph(p)
}
