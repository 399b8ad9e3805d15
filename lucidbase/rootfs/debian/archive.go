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
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// ErrGone says that a locked file left the archives: a mirror answered that it
// has no such file, and no other place has it either. Debian removes superseded
// packages from its mirrors; a fresh lock names those of today.
var ErrGone = errors.New("no archive has it any more")

// ErrAltered says that a mirror has another file in a locked one's place.
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
	down   sync.Map // mirrors that did not answer: asked last from then on
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
	data, tries, err := a.first(ctx, mirrors, path, limit, verify)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", path, err)
	}
	if tries != nil {
		return nil, fmt.Errorf("fetching %s: %w", path, tries)
	}
	return data, nil
}

// download gets a package file from a mirror, or else from the snapshot archive
// as it was when the lock was made.
func (a *Archives) download(ctx context.Context, p lock.Package, suites []lock.Suite) ([]byte, error) {
	mirrors := a.Mirrors[p.Archive]
	sources := slices.Clone(mirrors)
	if snapshot := a.snapshotOf(p.Archive, suites); snapshot != "" {
		sources = append(sources, snapshot)
	}
	verify := func(data []byte) error {
		if err := checked.Bytes(data, digestOf(p), p.Size); err != nil {
			return fmt.Errorf("%w: %w", ErrAltered, err)
		}
		return nil
	}
	data, tries, err := a.first(ctx, sources, p.Path, p.Size, verify)
	switch {
	case err != nil:
		return nil, fmt.Errorf("downloading %s %s: %w", p.Name, p.Version, err)
	case tries == nil:
		return data, nil
	case tries.missing(mirrors):
		return nil, fmt.Errorf("downloading %s %s: %s: %w: %w", p.Name, p.Version, p.Path, ErrGone, tries)
	}
	return nil, fmt.Errorf("downloading %s %s: %s: %w", p.Name, p.Version, p.Path, tries)
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

// first asks one source after the other until verify accepts what comes. If none
// has the file, the tries say why; an error is of this machine.
func (a *Archives) first(ctx context.Context, sources []string, path string, limit int64, verify func([]byte) error) ([]byte, *tries, error) {
	client := a.httpClient()
	failed := &tries{}
	for _, base := range a.order(sources) {
		data, err := a.get(ctx, client, base, path, limit)
		if err == nil {
			err = verify(data)
		}
		if err == nil {
			return data, nil, nil
		}
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if errors.Is(err, ErrNoAnswer) {
			a.down.Store(base, true)
		}
		*failed = append(*failed, try{base, err})
	}
	return nil, failed, nil
}

// order puts the sources that did not answer before behind the others: each of
// the packages to come would wait for them again.
func (a *Archives) order(sources []string) []string {
	sources = slices.Clone(sources)
	slices.SortStableFunc(sources, func(x, y string) int {
		_, xDown := a.down.Load(x)
		_, yDown := a.down.Load(y)
		switch {
		case xDown == yDown:
			return 0
		case xDown:
			return 1
		}
		return -1
	})
	return sources
}

// tries say what went wrong with each source.
type tries []try

type try struct {
	base string
	err  error
}

func (t *tries) Error() string {
	if len(*t) == 0 {
		return "no mirror is configured and the lock has no date"
	}
	lines := make([]string, len(*t))
	for i, f := range *t {
		lines[i] = redact(f.base) + ": " + f.err.Error()
	}
	return strings.Join(lines, "; ")
}

// Unwrap returns what went wrong with each.
func (t *tries) Unwrap() []error {
	errs := make([]error, len(*t))
	for i, f := range *t {
		errs[i] = f.err
	}
	return errs
}

// missing reports whether the file is known to be nowhere: the snapshot archive,
// which has everything, says that it lacks it, or else every mirror does. A mirror
// that does not answer may have it: that is a matter of the network and not of
// the lock.
func (t *tries) missing(mirrors []string) bool {
	lacking, asked, nowhere := 0, 0, false
	for _, f := range *t {
		switch lacks := missing(f.err); {
		case !slices.Contains(mirrors, f.base):
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

// redact hides a password in a mirror's URL.
func redact(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}
