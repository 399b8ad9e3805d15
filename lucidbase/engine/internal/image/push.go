package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/patient"
)

// Target is an image and the tag that it is pushed to.
type Target struct {
	Index v1.ImageIndex
	Tag   name.Tag
	// Series has the tags of the version's series move as well.
	Series bool
}

// jobs is how many requests are under way at once.
const jobs = 8

// Push pushes images, with the user's own Docker credentials: all blobs, then the
// manifests by digest, then the indexes by digest, and only when all of that has
// arrived the tags. So a tag never moves to what is not there, and when one of the
// images cannot be pushed, none of the tags moves.
//
// Each of them is read back before the next, and a tag at last: whoever answers in
// a registry's place, such as a proxy, may report success for nothing.
//
// A blob is uploaded once for each registry, and lent from there to the other
// repositories, also to those of later pushes with the same lenders; what a repository
// has is not sent again. A nil rt means go-containerregistry's default. What a registry asks to wait is waited for as
// patient.WithWaiter says.
//
// It returns what became of the tags of the versions' series.
func Push(ctx context.Context, targets []Target, rt http.RoundTripper, lenders Lenders) ([]SeriesTag, error) {
	return push(ctx, targets, rt, lenders, patient.Sleep)
}

func push(ctx context.Context, targets []Target, rt http.RoundTripper, lenders Lenders, wait patient.Waiter) ([]SeriesTag, error) {
	if rt == nil {
		rt = Genuine(patient.New(remote.DefaultTransport.(*http.Transport), 0))
	}
	todo, err := uploads(targets)
	if err != nil {
		return nil, err
	}
	checked := &answers{inner: rt, sizes: map[v1.Hash]int64{}}
	for _, u := range todo {
		if checked.sizes[u.digest], err = u.layer.Size(); err != nil {
			return nil, err
		}
	}
	remotePusher, err := remote.NewPusher(
		remote.WithAuthFromKeychain(keychain.Default),
		remote.WithTransport(checked),
		remote.WithJobs(jobs),
		// Retried here instead, where a cancelled context ends the waiting.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the push: %w", err)
	}
	p := &pusher{remote: remotePusher, reader: &reader{answers: checked}, lenders: lenders, wait: wait, todo: todo}
	for _, step := range []func(context.Context, []Target) error{p.blobs, p.manifests, p.indexes, p.tags, p.series} {
		if err := step(ctx, targets); err != nil {
			return nil, err
		}
	}
	return p.moved, nil
}

type pusher struct {
	remote  *remote.Pusher
	reader  *reader
	lenders Lenders
	wait    patient.Waiter
	todo    []*blobUpload
	moved   []SeriesTag
}

// do does one thing in a repository, again where that may help.
func (p *pusher) do(ctx context.Context, repo name.Repository, what string, fn func() error) error {
	if err := retry(ctx, p.wait, fn); err != nil {
		return fmt.Errorf("pushing to %s: %s: %w", repo, what, oneLine{err})
	}
	return nil
}

func (p *pusher) blobs(ctx context.Context, _ []Target) error {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(jobs)
	for _, u := range p.todo {
		eg.Go(func() error { return p.upload(ctx, u) })
	}
	return eg.Wait()
}

// upload brings a blob to its first repository, then lends it to the others.
func (p *pusher) upload(ctx context.Context, u *blobUpload) error {
	for i, repo := range u.repos {
		l := u.layer
		if from := p.lender(u, i); from != repo {
			l = &remote.MountableLayer{Layer: l, Reference: from.Digest(u.digest.String())}
		}
		blob := "blob " + u.digest.String()
		err := p.do(ctx, repo, blob, func() error { return p.remote.Upload(ctx, repo, l) })
		if l != u.layer && ctx.Err() == nil && err != nil { // whoever pushes may not read there
			err = p.do(ctx, repo, blob, func() error { return p.remote.Upload(ctx, repo, u.layer) })
		}
		if err != nil {
			return err
		}
		if err := p.do(ctx, repo, blob, func() error { return p.reader.blob(ctx, repo, u.digest) }); err != nil {
			return err
		}
	}
	p.lenders.add(u.repos[0], u.digest)
	return nil
}

// lender returns the repository that lends a blob to the i-th one that has to have it,
// or that itself.
func (p *pusher) lender(u *blobUpload, i int) name.Repository {
	if i > 0 {
		return u.repos[0]
	}
	if from, ok := p.lenders.of(u.repos[0].Registry, u.digest); ok {
		return from
	}
	// The first may find it in the second, from an earlier push.
	return u.repos[min(1, len(u.repos)-1)]
}

func (p *pusher) manifests(ctx context.Context, targets []Target) error {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(jobs)
	for _, t := range targets {
		images, err := imagesOf(t.Index)
		if err != nil {
			return errors.Join(err, eg.Wait())
		}
		for _, img := range images {
			eg.Go(func() error { return p.putByDigest(ctx, t.Tag.Context(), img) })
		}
	}
	return eg.Wait()
}

func (p *pusher) indexes(ctx context.Context, targets []Target) error {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(jobs)
	for _, t := range targets {
		eg.Go(func() error { return p.putByDigest(ctx, t.Tag.Context(), t.Index) })
	}
	return eg.Wait()
}

func (p *pusher) tags(ctx context.Context, targets []Target) error {
	for _, t := range targets {
		if err := p.put(ctx, t.Tag, t.Index); err != nil {
			return err
		}
	}
	return nil
}

// manifest is an image's or an index.
type manifest interface {
	remote.Taggable
	partial.Describable
}

func (p *pusher) putByDigest(ctx context.Context, repo name.Repository, m manifest) error {
	h, err := m.Digest()
	if err != nil {
		return err
	}
	return p.put(ctx, repo.Digest(h.String()), m)
}

// put puts a manifest that is not there. The pusher remembers what it has put or
// uploaded: it does not ask for the parts again.
func (p *pusher) put(ctx context.Context, ref name.Reference, m manifest) error {
	repo := ref.Context()
	if err := p.do(ctx, repo, ref.Identifier(), func() error { return p.remote.Push(ctx, ref, m) }); err != nil {
		return err
	}
	return p.do(ctx, repo, ref.Identifier(), func() error { return p.reader.manifest(ctx, ref, m) })
}
