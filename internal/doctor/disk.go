package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/util/disk"
)

// What a first build of all images takes, and what leaves room for the next ones.
const (
	leastDisk  = 3 << 30
	enoughDisk = 10 << 30
)

const otherCache = "choose another directory with --cache-dir"

func (m *Machine) disk(context.Context) Finding {
	dir, err := existing(m.CacheDir)
	if err != nil {
		return bad(oneLine(err.Error()), otherCache)
	}
	if err := writable(dir); err != nil {
		return bad(m.CacheDir+": cannot be written: "+err.Error(), otherCache)
	}
	stat, err := disk.GetDiskStat(dir)
	if err != nil {
		return bad(oneLine(err.Error()), otherCache)
	}
	found := units.HumanSize(float64(stat.Available)) + " free for " + m.CacheDir
	switch {
	case stat.Available < leastDisk:
		return bad(found, "free some, shrink the cache with 'lucidbase prune', or "+otherCache)
	case stat.Available < enoughDisk:
		return note(found, "keep the cache small with --cache-limit")
	}
	return ok(found)
}

// existing returns a directory or the nearest one above that is there.
func existing(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return "", &fs.PathError{Op: "opening", Path: dir, Err: errors.New("it is no directory")}
		case err == nil || !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir:
			return dir, err
		}
		dir = filepath.Dir(dir)
	}
}
