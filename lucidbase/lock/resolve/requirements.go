package resolve

import (
	"context"
	"errors"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Request is a list of requirements of one's own, in pip's form.
type Request struct {
	// Name is the list's file, one of Files.
	Name string
	// Files are the list and what it includes, by slash-separated path.
	Files map[string][]byte
	// Targets are those of lock.WheelTargets that the packages are for; none means
	// all, so that the lock serves every base image.
	Targets []string
	// Leftovers and Written are what an explain.Project says of the list.
	Leftovers []string
	Written   map[string]string
	// Libraries names the Debian packages that a project's source needs, as in
	// lock.DebianInput.
	Libraries map[string][]string
}

// Requirements locks a list with the set's uv. A list without a solution is a
// *NoSolutionError, a package that cannot be had for a target a *SourceError.
func Requirements(ctx context.Context, run Runner, set *lock.Set, r Request) (Locked, error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return Locked{}, err
	}
	list := stage.List{
		Name: "requirements", File: r.Name, Targets: r.Targets, Leftovers: r.Leftovers, Written: r.Written, Refused: verify.Refused(),
	}
	if len(list.Targets) == 0 {
		list.Targets = lock.WheelTargets()
	}
	if r.Files[r.Name] == nil {
		return Locked{}, errors.New("resolving " + r.Name + ": no such file in the request")
	}
	files, err := runStage(ctx, run, set.Debian, stage.Resolution{
		Files: r.Files, Lists: []stage.List{list}, Libraries: r.Libraries, UV: uv,
	})
	if err != nil {
		return Locked{}, err
	}
	return parseList(list, files, r.Libraries)
}
