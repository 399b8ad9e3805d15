package variants

import (
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Debian is a base image with glibc: locked Debian 12 packages with Python
// 3.11, and the wheels of a tier in /opt/venv. Standard and Python are two of
// them; a variant of one's own is a function or a struct that fills in another.
type Debian struct {
	// Name is the image's name without a registry, such as "python-base".
	Name string
	// Description is one line for people.
	Description string
	// Tier is the set of Python packages; each tier contains those below.
	Tier lock.Tier
	Options
}

// Graph returns the image's graph for one platform.
func (d Debian) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) { return d.base().Graph(p) }

func (d Debian) base() base {
	return base{name: d.Name, description: d.Description, tier: d.Tier, Options: d.Options, system: debian}
}

// debian is the system of Debian 12's packages.
func debian(locks *lock.Set, p lucidbase.Platforms) (system, error) {
	version, err := supply.PythonVersion(locks.Debian, p.Target)
	if err != nil {
		return system{}, err
	}
	root, _ := supply.Debian(locks.Debian, p.Target)
	return system{
		root:   root,
		what:   "Debian 12 packages",
		target: stage.Target{Platform: p.Target, Version: version, Prefix: "/usr"},
		digest: locks.Digest,
		twin:   func() (twin, error) { return debianTwin(locks, p.Target) },
	}, nil
}
