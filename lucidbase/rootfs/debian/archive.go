// Package debian makes OCI layers from locked Debian packages: it downloads them,
// checks them and unpacks them in Go. No container runs and no dpkg, so a layer
// for any platform is made on any machine, by any user, with the same bytes.
package debian

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// ErrGone says that a locked file left the archives: a mirror answered that it
// has no such file, and no other place has it either. Debian removes superseded
// packages from its mirrors; a fresh lock names those of today.
var ErrGone = errors.New("no archive has it any more")

// ErrAltered says that a mirror has another file in the place of a locked one.
var ErrAltered = errors.New("sends another file")

// snapshotURL is Debian's own archive of everything it ever published
// (https://snapshot.debian.org). It is permanent and slow, hence asked last.
const snapshotURL = "https://snapshot.debian.org/archive"

// Archives are Debian's archives as this machine reaches them. Its methods may
// be called at once from several goroutines; its fields do not change after the
// first call.
type Archives struct {
	// Cache is the directory that keeps downloads, by hash. Several processes may
	// use the same one at once.
	Cache string
	// Mirrors maps an archive ("debian", "debian-security") to the base URLs of its
	// mirrors, in the order in which they are asked; see the function Mirrors.
	Mirrors map[string][]string
	// TLS says which servers to trust; nil means what the system does.
	TLS *tls.Config

	snapshot string        // snapshotURL unless a test says otherwise
	stall    time.Duration // stallTime unless a test says otherwise

	once   sync.Once
	client *http.Client
	memory mirror.Memory
}

// Fetch returns a file of an archive from the first mirror whose answer verify
// accepts. An answer of more than limit bytes counts as a failed one. Nothing is
// cached, and the snapshot archive is not asked: this is for indexes, which are
// wanted as they are today.
func (a *Archives) Fetch(ctx context.Context, archive, path string, limit int64, verify func([]byte) error) ([]byte, error) {
	mirrors := a.Mirrors[archive]
	if len(mirrors) == 0 {
		return nil, fmt.Errorf("fetching %s: no mirror of archive %s is configured", path, archive)
	}
	data, err := a.first(ctx, mirrors, path, limit, verify)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", path, err)
	}
	return data, nil
}

// download gets a package file from a mirror, or else from the snapshot archive
// as it was when the lock was made.
func (a *Archives) download(ctx context.Context, p lock.Package, suites []lock.Suite) ([]byte, error) {
	mirrors := a.Mirrors[p.Archive]
	places := slices.Clone(mirrors)
	if snapshot := a.snapshotOf(p.Archive, suites); snapshot != "" {
		places = append(places, snapshot)
	}
	verify := func(data []byte) error {
		if err := checked.Bytes(data, digestOf(p), p.Size); err != nil {
			return fmt.Errorf("%w: %w", ErrAltered, err)
		}
		return nil
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("downloading %s %s: %s: no mirror is configured and the lock has no date", p.Name, p.Version, p.Path)
	}
	data, err := a.first(ctx, places, p.Path, p.Size, verify)
	var failed mirror.Failures
	switch {
	case err == nil:
		return data, nil
	case !errors.As(err, &failed):
		return nil, fmt.Errorf("downloading %s %s: %w", p.Name, p.Version, err)
	case gone(failed, mirrors):
		return nil, fmt.Errorf("downloading %s %s: %s: %w: %w", p.Name, p.Version, p.Path, ErrGone, err)
	}
	return nil, fmt.Errorf("downloading %s %s: %s: %w", p.Name, p.Version, p.Path, err)
}

// snapshotOf returns the archive as it was at the date of the newest of its
// suites, or nothing if none is known.
func (a *Archives) snapshotOf(archive string, suites []lock.Suite) string {
	var newest time.Time
	for _, s := range suites {
		if s.Archive == archive && s.Date.After(newest) {
			newest = s.Date
		}
	}
	if newest.IsZero() {
		return ""
	}
	base := a.snapshot
	if base == "" {
		base = snapshotURL
	}
	return base + "/" + archive + "/" + newest.UTC().Format("20060102T150405Z")
}

// first returns what the first of the places has that verify accepts.
func (a *Archives) first(ctx context.Context, places []string, path string, limit int64, verify func([]byte) error) (data []byte, err error) {
	err = a.memory.First(ctx, places, func(base string) error {
		if data, err = a.get(ctx, base, path, limit); err != nil {
			return err
		}
		return verify(data)
	})
	return data, err
}

// gone reports whether a file is known to be nowhere: the snapshot archive, which has
// everything, says that it lacks it, or else every mirror does. A mirror that does not
// answer may have it: that is a matter of the network and not of the lock.
func gone(failed mirror.Failures, mirrors []string) bool {
	lacking, asked, nowhere := 0, 0, false
	for _, f := range failed {
		switch lacks := missing(f.Err); {
		case !slices.Contains(mirrors, f.Place):
			nowhere = lacks
		case lacks:
			lacking, asked = lacking+1, asked+1
		default:
			asked++
		}
	}
	if len(mirrors) == 0 {
		return nowhere
	}
	return lacking > 0 && (nowhere || lacking == asked)
}
