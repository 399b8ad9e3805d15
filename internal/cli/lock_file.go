package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
		one.list, one.out, one.base, one.system = f.onDisk(l.Name), f.onDisk(l.Lock), l.Base, l.System
		all = append(all, one)
	}
	return all, nil
}

// lockLists locks every list, whatever is wrong with another.
func lockLists(ctx context.Context, s Streams, eng *engine.Engine, lists []ownFlags) error {
	var errs []error
	stale := false
	for _, own := range lists {
		err := lockList(ctx, s, eng, own)
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

func lockList(ctx context.Context, s Streams, eng *engine.Engine, own ownFlags) error {
	if len(own.system) > 0 {
		fmt.Fprintf(s.Err, "lucidbase: %s, of %s\n", own.out, strings.Join(own.system, ", "))
		return lockSystem(ctx, s, eng, own)
	}
	fmt.Fprintf(s.Err, "lucidbase: %s, with %s\n", own.list, own.base)
	list, err := own.read(ctx, s)
	if err != nil {
		return err
	}
	return lockOwn(ctx, s, eng, own, list)
}
