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

// Request says what to lock a List for.
type Request struct {
	List List
	// Targets are those of lock.WheelTargets that the packages are for; none means
	// all, so that the lock serves every base image.
	Targets []string
	// Base is the tier of the base image that the packages are for: they are resolved
	// together with that tier's, whose locked versions are preferred. Empty means that
	// the list is alone.
	Base lock.Tier
	// BaseName is the name of that image, for the lock.
	BaseName string
}

// Requirements locks a list with the set's uv. The error of a list with findings is these;
// that of one without a solution is a *NoSolutionError, of a package that cannot be had for
// a target a *NoWheelError, of one with other hashes than the list has for it a *HashError.
func Requirements(ctx context.Context, run Runner, set *lock.Set, r Request) (Locked, error) {
	if err := r.List.Err(); err != nil {
		return Locked{}, err
	}
	return r.lock(ctx, run, set, r.List.project.Query())
}

// lock locks what the list asks for, or what becomes of that.
func (r Request) lock(ctx context.Context, run Runner, set *lock.Set, asked explain.Query) (Locked, error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return Locked{}, err
	}
	ours, err := DefaultLists()
	if err != nil {
		return Locked{}, err
	}
	list, listFiles := r.stage(set, asked, ours)
	files, err := runStage(ctx, run, set.Debian, stage.Resolution{
		Files: listFiles, Lists: []stage.List{list}, Libraries: ours.Debian.Libraries, UV: uv,
	})
	if err != nil {
		return Locked{}, err
	}
	if err := checkHashes(list, files, asked); err != nil {
		return Locked{}, err
	}
	locked, err := parseList(list, files, ours.Debian.Libraries)
	if r.Base != "" {
		locked.Base = lock.Base{Name: r.BaseName, Digest: set.TierDigest(r.Base)}
	}
	return locked, err
}

// stage returns the request in the stage's terms, and the files of its list.
func (r Request) stage(set *lock.Set, asked explain.Query, ours Lists) (stage.List, map[string][]byte) {
	const limits = "limits/constraints.txt"
	list := stage.List{
		Name: "requirements", File: path.Base(r.List.name), Targets: r.Targets, Arguments: arguments(asked),
		Leftovers: r.List.project.Leftovers(), Written: r.List.project.Written(), Refused: verify.Refused(),
	}
	if len(list.Targets) == 0 {
		list.Targets = lock.WheelTargets()
	}
	for _, p := range asked.Pins {
		list.Pins = append(list.Pins, stage.Pin{Name: p.Name, Version: p.Version, Hashes: p.Hashes})
	}
	requirements, constraints := asked.Text()
	files := map[string][]byte{limits: []byte(constraints)}
	if slices.Contains(lock.Tiers(), r.Base) {
		list.Preferred = string(set.Python[r.Base].Requirements.Format())
		requirements += "-r base/" + r.Base.ListFile() + "\n"
		for name, data := range ours.Python {
			files["base/"+name] = data
		}
	}
	files[list.File] = []byte(requirements + "-c " + limits + "\n")
	return list, files
}

// arguments are uv's for what a list says of pre-releases and of the kinds of
// files.
func arguments(in explain.Query) []string {
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
