package resolve

import (
	"context"
	"path"
	"slices"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Request is a list of requirements of one's own, in pip's form.
type Request struct {
	// Name is what errors call the list.
	Name string
	// Input is what the list asks for: see explain.Project.
	Input explain.Input
	// Targets are those of lock.WheelTargets that the packages are for; none means
	// all, so that the lock serves every base image.
	Targets []string
	// Base is the tier of the base image that the packages are for: they are resolved
	// together with that tier's, whose locked versions are preferred. Empty means that
	// the list is alone.
	Base lock.Tier
	// BaseName is the name of that image, for the lock.
	BaseName string
	// Tiers are the lists of the tiers, as in Lists.
	Tiers map[string][]byte
	// Leftovers and Written are what an explain.Project says of the list.
	Leftovers []string
	Written   map[string]string
	// Libraries names the Debian packages that a project's source needs, as in
	// DebianList.
	Libraries map[string][]string
}

// Requirements locks a list with the set's uv. A list without a solution is a
// *NoSolutionError, a package that cannot be had for a target a *SourceError, one
// with other hashes than the list has for it a *HashError.
func Requirements(ctx context.Context, run Runner, set *lock.Set, r Request) (Locked, error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return Locked{}, err
	}
	list, listFiles := r.stage(set)
	files, err := runStage(ctx, run, set.Debian, stage.Resolution{
		Files: listFiles, Lists: []stage.List{list}, Libraries: r.Libraries, UV: uv,
	})
	if err != nil {
		return Locked{}, err
	}
	if err := checkHashes(list, files, r.Input); err != nil {
		return Locked{}, err
	}
	locked, err := parseList(list, files, r.Libraries)
	if r.Base != "" {
		locked.Base = lock.Base{Name: r.BaseName, Digest: set.Python[r.Base].Digest()}
	}
	return locked, err
}

// stage returns the request in the stage's terms, and the files of its list.
func (r Request) stage(set *lock.Set) (stage.List, map[string][]byte) {
	const limits = "limits/constraints.txt"
	list := stage.List{
		Name: "requirements", File: path.Base(r.Name), Targets: r.Targets, Arguments: arguments(r.Input),
		Leftovers: r.Leftovers, Written: r.Written, Refused: verify.Refused(),
	}
	if len(list.Targets) == 0 {
		list.Targets = lock.WheelTargets()
	}
	for _, p := range r.Input.Pins {
		list.Pins = append(list.Pins, stage.Pin{Name: p.Name, Version: p.Version, Hashes: p.Hashes})
	}
	requirements, constraints := r.Input.Text()
	files := map[string][]byte{limits: []byte(constraints)}
	if slices.Contains(lock.Tiers(), r.Base) {
		list.Preferred = string(set.Python[r.Base].Requirements.Format())
		requirements += "-r base/" + r.Base.ListFile() + "\n"
		for name, data := range r.Tiers {
			files["base/"+name] = data
		}
	}
	files[list.File] = []byte(requirements + "-c " + limits + "\n")
	return list, files
}

// arguments are uv's for what a list says of pre-releases and of the kinds of
// files.
func arguments(in explain.Input) []string {
	args := []string{}
	each := func(option string, names []string) {
		for _, name := range names {
			args = append(args, option, name)
		}
	}
	each("--no-binary", in.NoBinary)
	each("--only-binary", in.OnlyBinary)
	releases := func(mode string, names []string) {
		for _, name := range names {
			if name == ":all:" {
				args = append(args, "--prerelease", mode)
			} else {
				args = append(args, "--prerelease-package", name+"="+mode)
			}
		}
	}
	releases("allow", in.AllReleases)
	releases("disallow", in.OnlyFinal)
	return args
}
