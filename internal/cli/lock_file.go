package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// of returns the flags for each list of a file.
func (o ownFlags) of(f *fileFlag) ([]ownFlags, error) {
	r, err := f.reader()
	if err != nil {
		return nil, err
	}
	lists, err := r.Lists()
	if err != nil {
		return nil, err
	}
	var all []ownFlags
	for _, l := range lists {
		one := o
		one.list, one.out, one.base = f.onDisk(l.Name), f.onDisk(l.Lock), l.Base
		all = append(all, one)
	}
	return all, nil
}

// lockLists locks every list, whatever is wrong with another.
func lockLists(ctx context.Context, s Streams, eng *engine.Engine, lists []ownFlags) error {
	var errs []error
	stale := false
	for _, own := range lists {
		fmt.Fprintf(s.Err, "lucidbase: %s, with %s\n", own.list, own.base)
		project, err := own.read(s)
		if err == nil {
			err = lockOwn(ctx, s, eng, own, project)
		}
		if errors.Is(err, errStale) {
			stale = true
			continue
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || !stale {
		return err
	}
	return errStale
}
