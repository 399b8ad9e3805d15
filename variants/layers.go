package variants

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

const (
	// largeWheel is the size from which a wheel has a layer of its own: with it, the
	// standard tier has 23 such layers, and what is left for the layers that are
	// made anew when one small package changes is 2.5 MB.
	largeWheel = 256 << 10
	// maxLayers is what an image may have; engines stop at 127, and a service adds
	// some.
	maxLayers = 95
)

// layer is one layer of an image.
type layer struct {
	state llb.State
	// what is for the image's history.
	what string
}

// group is what an image has of a set of packages that are installed together.
type group struct {
	name string
	// all are a tier's packages, whatever the image replaces, so that every image has
	// its layers from one step; nil for an image's own, which are installed one by
	// one.
	all lock.Requirements
	// made are the layers of all, by what is in them.
	made map[string]llb.State
	// used are those that the image has.
	used lock.Requirements
}

// groupsOf lists the packages of a tier and of those below it, the lowest first.
func (f foundation) groupsOf(tier lock.Tier) ([]group, error) {
	var all []group
	for _, tier := range upTo(tier) {
		own, err := f.locks.Own(tier, f.target.Wheels())
		if err != nil {
			return nil, err
		}
		g := group{name: string(tier) + " packages", all: own}
		g.made = f.together(g)
		all = append(all, g)
	}
	return all, nil
}

// groups lists an image's packages, the lowest tier first. No package is in two. Of a
// tier it keeps what the further packages do not replace; if these were resolved with a
// base, and so are complete, what they have in the same version.
func (f foundation) groups(packages lock.Packages) []group {
	target := f.target.Wheels()
	further := packages.For(target)
	complete := packages.Base.Name != ""
	var all []group
	for _, g := range f.tiers {
		g.used = slices.DeleteFunc(slices.Clone(g.all), func(o lock.Requirement) bool {
			i := slices.IndexFunc(further, func(r lock.Requirement) bool { return r.Name == o.Name })
			switch {
			case i < 0:
				return complete
			case !same(o, further[i], target):
				return true
			}
			further = slices.Delete(further, i, i+1)
			return false
		})
		all = append(all, g)
	}
	return append(all, group{name: "further packages", used: further})
}

// upTo lists the tiers that a tier holds, the smallest first; lock.Bare has none.
func upTo(tier lock.Tier) []lock.Tier {
	all := lock.Tiers()
	return all[:slices.Index(all, tier)+1]
}

// same reports whether two requirements install the same file on a target.
func same(a, b lock.Requirement, target string) bool {
	if a.Name != b.Name || a.Version != b.Version {
		return false
	}
	one, wheel := a.Wheel(target)
	other, also := b.Wheel(target)
	if wheel || also {
		return wheel == also && one.SHA256 == other.SHA256
	}
	return a.Sdist.SHA256 == b.Sdist.SHA256 && string(a.Sdist.Build.Format()) == string(b.Sdist.Build.Format())
}

// install makes the layers of every group.
func (f foundation) install(groups []group) ([]layer, []lucidbase.Input, error) {
	var all []layer
	var inputs []lucidbase.Input
	for _, g := range groups {
		least := int64(largeWheel)
		for g.all == nil && len(f.share(g.used, least)) > maxLayers-2-len(all) && least < 1<<40 {
			least += least / 4
		}
		for _, s := range f.share(g.used, least) {
			what := s.String()
			state, ok := g.made[what]
			if !ok {
				var more []lucidbase.Input
				var err error
				if state, more, err = f.alone(g, s); err != nil {
					return nil, nil, err
				}
				inputs = append(inputs, more...)
			}
			all = append(all, layer{state, what})
		}
	}
	if n := len(all) + 2; n > maxLayers {
		return nil, nil, fmt.Errorf("the packages take %d layers, and %d are allowed", n, maxLayers)
	}
	return all, inputs, nil
}

// set is what is in one layer.
type set struct {
	reqs     lock.Requirements // each with the one hash of its wheel
	pure     bool
	compiled bool
	small    bool
}

// share puts packages into sets: each wheel of at least a size has one of its own,
// and each that is compiled.
func (f foundation) share(reqs lock.Requirements, least int64) []set {
	var sets []set
	small := []set{{pure: true, small: true}, {small: true}}
	for _, r := range reqs {
		w, ok := r.Wheel(f.target.Wheels())
		if !ok {
			sets = append(sets, set{reqs: lock.Requirements{r}, compiled: true, pure: r.Sdist.BuildTarget("") == lock.AnyTarget})
			continue
		}
		r.Marker, r.Hashes = "", []string{"sha256:" + w.SHA256}
		if w.Size >= least {
			sets = append(sets, set{reqs: lock.Requirements{r}, pure: w.Pure()})
			continue
		}
		i := 1
		if w.Pure() {
			i = 0
		}
		small[i].reqs = append(small[i].reqs, r)
	}
	for _, s := range small {
		if len(s.reqs) > 0 {
			sets = append(sets, s)
		}
	}
	return sets
}

// together makes all layers of a tier but the compiled ones, in a step for what
// runs everywhere and one for the rest, and returns them by what is in them.
func (f foundation) together(g group) map[string]llb.State {
	made := map[string]llb.State{}
	for _, pure := range []bool{true, false} {
		sets := slices.DeleteFunc(f.share(g.all, largeWheel), func(s set) bool { return s.compiled || s.pure != pure })
		if len(sets) == 0 {
			continue
		}
		for i, state := range f.step(g.name, sets, nil) {
			made[sets[i].String()] = state
		}
	}
	return made
}

// alone makes one layer.
func (f foundation) alone(g group, s set) (llb.State, []lucidbase.Input, error) {
	if s.compiled {
		wheels, inputs, err := f.compiler.Wheels(s.reqs, f.target)
		if err != nil {
			return llb.State{}, nil, err
		}
		return f.step(s.String(), []set{s}, &wheels[0])[0], inputs, nil
	}
	name := s.String()
	if s.small {
		name = "small " + g.name
	}
	return f.step(name, []set{s}, nil)[0], nil, nil
}

// step makes the layers of sets that are all pure, or none.
func (f foundation) step(name string, sets []set, compiled *llb.State) []llb.State {
	in := stage.Installation{Name: name, Version: f.version, Compiled: compiled}
	if !sets[0].pure {
		in.Name, in.Target, in.Version = f.target.Label()+" "+name, &f.target, f.target.Version
	}
	for _, s := range sets {
		in.Sets = append(in.Sets, s.reqs)
	}
	return f.builder.Layers(f.uv, in)
}

// String lists the packages.
func (s set) String() string {
	var names []string
	for _, r := range s.reqs {
		names = append(names, r.String())
	}
	return strings.Join(names, ", ")
}
