package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/mod/semver"
)

// tagFlags are the flags of build that say what images are called.
type tagFlags struct {
	names  []string
	series bool
}

func (t *tagFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&t.names, "tag", []string{"latest"}, "tag of the images; may be repeated; the first that is a semantic version becomes a label; $TAG")
	f.BoolVar(&t.series, "tag-series", false, "with --push, a version moves the tags of its series as well: v1.4.2 those of v1.4 and v1, unless the registry has a later one")
}

func (t *tagFlags) first() string { return t.names[0] }

var validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`) // OCI distribution spec, "Pulling manifests"
var likeVersion = regexp.MustCompile(`^v?[0-9]+\.[0-9.]+`)

// version returns the first tag that is a semantic version, if there is one.
func (t *tagFlags) version(s Streams) (string, error) {
	version := ""
	for _, tag := range t.names {
		if !validTag.MatchString(tag) {
			return "", usagef("--tag %q: not a valid tag: letters, digits, '_', '.' and '-', at most 128, not '.' or '-' first", tag)
		}
		if version == "" && isVersion(tag) {
			version = tag
		}
	}
	if i := slices.IndexFunc(t.names, likeVersion.MatchString); version == "" && i >= 0 {
		fmt.Fprintf(s.Err, "lucidbase: tag %s looks like a version but is no semantic version (MAJOR.MINOR.PATCH): the images get no version label\n", t.names[i])
	}
	return version, nil
}

func isVersion(tag string) bool {
	v := "v" + strings.TrimPrefix(tag, "v")
	return semver.IsValid(v) && semver.Canonical(v) == v
}

// checkSeries refuses --tag-series where no tag can have a series, and names the tags
// that have none.
func (t *tagFlags) checkSeries(s Streams, push bool) error {
	switch {
	case !t.series:
	case !push:
		return usagef("--tag-series: only a registry has series: add --push")
	case !slices.ContainsFunc(t.names, isVersion):
		return usagef("--tag-series: no --tag is a semantic version, such as v1.4.2")
	}
	for _, tag := range t.names {
		if t.series && isVersion(tag) && semver.Prerelease("v"+strings.TrimPrefix(tag, "v")) != "" {
			fmt.Fprintf(s.Err, "lucidbase: tag %s is a prerelease: it moves no series\n", tag)
		}
	}
	return nil
}
