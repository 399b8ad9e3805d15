// Package dockerbox runs images in Docker as production does: with a read-only root, no
// capabilities, no new privileges, Docker's seccomp profile, a tmpfs at /tmp, and a network
// that reaches nothing but the containers. It is what package sandbox is, for machines
// without Linux or runc, and for people who want Docker.
//
// What a process has in Docker is labelled with the name of a file that it holds locked.
// A Box is removed when it is closed; what a process left that ended otherwise, the next
// one that opens a Box on this machine removes.
package dockerbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/docker"
	"github.com/lucid-project/base-images/internal/sandbox"
)

// label is that of every container and network, with the path of the file that is locked as
// long as they are in use.
const label = "io.github.lucid-project.lucidtest"

// hostNetwork is the network of the machine that Docker runs on.
const hostNetwork = "host"

// Box is where containers run. Its methods may be called at once from several goroutines.
type Box struct {
	config  sandbox.Config
	helper  v1.Image
	api     *api
	network string // that of the containers, by ID, or hostNetwork
	lock    *flock.Flock

	once sync.Once
}

// Open makes a Box in the Docker that the docker command would use. helper is an image
// with Python: what connects from inside a container that has none runs in it.
// sandbox.ErrCannotRun means that Docker does not answer.
func Open(ctx context.Context, c sandbox.Config, helper v1.Image) (*Box, error) {
	d, err := docker.Find(ctx)
	if err == nil {
		err = d.Ping(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sandbox.ErrCannotRun, err)
	}
	b := &Box{config: c, helper: helper, api: newAPI(d)}
	watched.add(b)
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Box) open(ctx context.Context) error {
	if err := os.MkdirAll(b.config.CacheDir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(b.config.CacheDir, "docker-*.lock")
	if err != nil {
		return err
	}
	b.lock = flock.New(f.Name())
	if err := errors.Join(f.Close(), b.lock.Lock()); err != nil {
		return err
	}
	b.sweep(ctx)
	if b.config.HostNetwork {
		b.network = hostNetwork
		return nil
	}
	var made struct{ ID string }
	err = b.api.call(ctx, http.MethodPost, "/networks/create", map[string]any{
		"Name":     filepath.Base(b.lock.Path()),
		"Internal": true,
		"Labels":   b.labels(),
		// The machine itself has no address in it, either.
		"Options": map[string]string{"com.docker.network.bridge.inhibit_ipv4": "true"},
	}, &made)
	b.network = made.ID
	return err
}

func (b *Box) labels() map[string]string { return map[string]string{label: b.lock.Path()} }

// closeTime limits what a Box does when it is closed.
const closeTime = time.Minute

// Close ends the containers and removes all that the Box has in Docker but images.
func (b *Box) Close() error {
	defer watched.remove(b)
	return b.close()
}

func (b *Box) close() (err error) {
	b.once.Do(func() {
		if b.lock == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		err = b.api.remove(ctx, b.lock.Path())
		b.api.http.CloseIdleConnections()
		// What could not be removed is found by the file, which nobody holds then.
		if err == nil {
			err = os.Remove(b.lock.Path())
		}
		err = errors.Join(err, b.lock.Unlock())
	})
	return err
}

// remove removes the containers and networks with a label's value.
func (a *api) remove(ctx context.Context, value string) error {
	containers, networks, err := a.owned(ctx, label+"="+value)
	if err != nil {
		return err
	}
	errs := make([]error, len(containers))
	var all sync.WaitGroup
	for i, c := range containers {
		all.Go(func() { errs[i] = a.call(ctx, http.MethodDelete, "/containers/"+c.ID+"?force=1&v=1", nil, nil) })
	}
	all.Wait()
	for _, n := range networks {
		errs = append(errs, a.removeNetwork(ctx, n.ID))
	}
	for i, err := range errs {
		if is(err, http.StatusNotFound) || is(err, http.StatusConflict) {
			errs[i] = nil // somebody else removes it
		}
	}
	return errors.Join(errs...)
}

// pause is the time between two attempts.
const pause = 50 * time.Millisecond

// removeNetwork removes a network. That of a container which has just ended may still be
// in use for a moment.
func (a *api) removeNetwork(ctx context.Context, id string) error {
	for {
		err := a.call(ctx, http.MethodDelete, "/networks/"+id, nil, nil)
		if !is(err, http.StatusForbidden) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// owned is a container or network.
type owned struct {
	ID     string `json:"Id"`
	Labels map[string]string
}

// owned returns what has a label.
func (a *api) owned(ctx context.Context, label string) (containers, networks []owned, err error) {
	err = a.call(ctx, http.MethodGet, "/containers/json?all=1&"+filters("label", label), nil, &containers)
	if err == nil {
		err = a.call(ctx, http.MethodGet, "/networks?"+filters("label", label), nil, &networks)
	}
	return containers, networks, err
}

// sweep removes what processes of this machine left behind, and images that nobody has
// run for long. It is tidying: what fails, a later one does.
func (b *Box) sweep(ctx context.Context) {
	containers, networks, err := b.api.owned(ctx, label)
	if err != nil {
		return
	}
	seen := map[string]bool{b.lock.Path(): true}
	for _, o := range append(containers, networks...) {
		file := o.Labels[label]
		if seen[file] || file == "" {
			continue
		}
		seen[file] = true
		b.sweepFile(ctx, file)
	}
	b.sweepImages(ctx)
}

// sweepFile removes what belongs to a file, if that is on this machine and nobody holds it.
func (b *Box) sweepFile(ctx context.Context, file string) {
	if _, err := os.Stat(file); err != nil {
		return // of another machine, or another user's
	}
	lock := flock.New(file)
	if alone, err := lock.TryLock(); err != nil || !alone {
		return
	}
	if b.api.remove(ctx, file) == nil {
		_ = os.Remove(file)
	}
	_ = lock.Unlock()
}

// query returns a query string.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "?" + q.Encode()
}
