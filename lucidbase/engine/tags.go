package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// TagOption says under which further tags an image is known; the order of options does
// not matter.
type TagOption func(*Destination)

// Tags adds tags in the same repository, such as "stable".
func Tags(tags ...string) TagOption {
	return func(to *Destination) { to.Tags = append(to.Tags, tags...) }
}

// Series has a version's tag move those of its series, too: v1.4.2 is then v1.4 and v1 as
// well. None of these moves backwards: where the registry has a later release of a
// series when it is asked, after the version's own tag has moved, the series' tag stays,
// and a step of the build says so. A prerelease, such as v1.5.0-rc.1, moves none.
func Series() TagOption {
	return func(to *Destination) { to.Series = true }
}

// checkTags reports wrong tags, leaves out those that are named twice, and reports a
// Series without a version.
func (to Destination) checkTags(first name.Tag) (Destination, error) {
	var errs []error
	tags := []string{first.TagStr()}
	for _, tag := range to.Tags {
		if _, err := name.NewTag(first.Context().Name()+":"+tag, name.StrictValidation); err != nil {
			errs = append(errs, fmt.Errorf("To: tag %q: %w", tag, err))
		}
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	to.Tags = tags[1:]
	switch {
	case !to.Series:
	case to.Output != Output(registries{}):
		errs = append(errs, errors.New("To: Series: only a registry has series, see Push"))
	case !slices.ContainsFunc(tags, image.IsVersion):
		errs = append(errs, errors.New("To: Series: no tag is a semantic version, such as v1.4.2"))
	}
	return to, errors.Join(errs...)
}

// allTags are those of the image itself, without any of a series.
func (img Image) allTags() []name.Tag {
	all := []name.Tag{img.Name}
	for _, tag := range img.Tags {
		all = append(all, img.Name.Context().Tag(tag))
	}
	return all
}
