package engine

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// registries is the Output of Push.
type registries struct{}

func (registries) String() string { return "pushing" }

// Check finds out whether a registry answers and knows the user, and, for a series,
// whether it lists its tags.
func (registries) Check(ctx context.Context, d Delivery) error {
	seen := map[string]bool{}
	for _, img := range d.Images {
		repo := img.Name.Context()
		if !seen[repo.RegistryStr()] {
			seen[repo.RegistryStr()] = true
			if err := checkRegistry(ctx, repo, d.Transport); err != nil {
				return &PushError{fmt.Errorf("pushing to %s: %w", repo, err)}
			}
		}
		if !img.Series {
			continue
		}
		if _, err := image.ListTags(ctx, repo, d.Transport); err != nil {
			return &PushError{fmt.Errorf("pushing to %s: listing tags for the series of %s: %w", repo, img.Name.TagStr(), err)}
		}
	}
	return nil
}

// pushedDir keeps which repository each blob was last pushed to.
func (o options) pushedDir() string { return filepath.Join(o.cacheDir, "pushed") }

// Deliver uploads what images share once.
func (registries) Deliver(ctx context.Context, d Delivery) error {
	var targets []image.Target
	for _, img := range d.Images {
		for _, tag := range img.allTags() {
			targets = append(targets, image.Target{Index: img.Index, Tag: tag, Series: img.Series})
		}
	}
	series, err := image.Push(ctx, targets, d.Transport, d.lenders)
	if err != nil {
		return &PushError{err}
	}
	for _, s := range series {
		if s.Later != "" {
			d.Say(fmt.Sprintf("leaving %s where it is: the registry has %s", s.Tag, s.Later))
			continue
		}
		d.Tagged(s.Tag)
	}
	return nil
}
