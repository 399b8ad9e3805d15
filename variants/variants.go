// Package variants holds the images as structs that are Specs: the base images, whose
// zero value builds, and a Service, which stands on one of them.
package variants

import (
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Python is the image for web services: Python 3.11 with web frameworks,
// network and database clients, metrics and logging. Its zero value builds. The
// fields are those of Options, which says more of them.
type Python struct {
	Version  string            // label org.opencontainers.image.version; empty sets none
	Env      map[string]string // adds to the environment, or replaces what is set here
	Labels   map[string]string // adds to the labels, or replaces what is set here
	Packages lock.Packages     // further packages, of lock.Read
	Waivers  []verify.Waiver   // excuse single files from single rules of the contract
	Locks    *lock.Set         // what the image is made from; nil means lock.Default
}

// Graph returns the image's graph for one platform.
func (v Python) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) { return v.base().Graph(p) }

func (v Python) base() base {
	return Debian{
		Name:        "python-base",
		Description: "Distroless Python " + lock.PythonMinor + " with web frameworks, network and database clients",
		Tier:        lock.Python,
		Options:     Options(v),
	}.base()
}

// Standard is the image with everything: what Python has, and YAML, password
// hashes, JWT, DNS, time zones and compression. Its zero value builds. The system, the
// interpreter and each large wheel that both have are layers of Python, too. The fields
// are those of Options, which says more of them.
type Standard struct {
	Version  string            // label org.opencontainers.image.version; empty sets none
	Env      map[string]string // adds to the environment, or replaces what is set here
	Labels   map[string]string // adds to the labels, or replaces what is set here
	Packages lock.Packages     // further packages, of lock.Read
	Waivers  []verify.Waiver   // excuse single files from single rules of the contract
	Locks    *lock.Set         // what the image is made from; nil means lock.Default
}

// Graph returns the image's graph for one platform.
func (v Standard) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) { return v.base().Graph(p) }

func (v Standard) base() base {
	return Debian{
		Name:        "base",
		Description: "Distroless Python " + lock.PythonMinor + " with the full set of packages",
		Tier:        lock.Standard,
		Options:     Options(v),
	}.base()
}

// Bare is the smallest image of Debian: the interpreter, and no packages. It is for
// a service whose packages cannot be had together with those of another base. Its
// zero value builds. The fields are those of Options, which says more of them.
type Bare struct {
	Version  string            // label org.opencontainers.image.version; empty sets none
	Env      map[string]string // adds to the environment, or replaces what is set here
	Labels   map[string]string // adds to the labels, or replaces what is set here
	Packages lock.Packages     // further packages, of lock.Read
	Waivers  []verify.Waiver   // excuse single files from single rules of the contract
	Locks    *lock.Set         // what the image is made from; nil means lock.Default
}

// Graph returns the image's graph for one platform.
func (v Bare) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) { return v.base().Graph(p) }

func (v Bare) base() base {
	return Debian{
		Name:        "bare-base",
		Description: "Distroless Python " + lock.PythonMinor + " without packages",
		Tier:        lock.Bare,
		Options:     Options(v),
	}.base()
}
