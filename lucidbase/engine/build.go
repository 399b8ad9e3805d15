package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// Build builds one image for all its platforms and sends it where the job says.
// Nothing arrives there unless all of it was built.
func (e *Engine) Build(ctx context.Context, job Job) (*Result, error) {
	results, err := e.BuildAll(ctx, []Job{job})
	if err != nil {
		return nil, err
	}
	return &results[0], nil
}

// BuildAll builds several images at once and sends them where their jobs say,
// once all are built and fulfil the contract; when one does not, the error is a
// ContractError. The results are in the order of the jobs. What two images share
// is built, read, compressed and uploaded once.
func (e *Engine) BuildAll(ctx context.Context, jobs []Job) ([]Result, error) {
	jobs, err := checkAll(jobs)
	if err != nil {
		return nil, err
	}
	release, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	e.beginOnNodes()
	solvable := make([][]graph, len(jobs))
	var errs []error
	for i, job := range jobs {
		solvable[i], err = e.graphs(ctx, job)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := e.checkOutputs(ctx, jobs); err != nil {
		return nil, err
	}
	e.noteImages(jobs, solvable)
	var results []Result
	err = e.repairing(ctx, func() (err error) {
		results, err = e.buildAll(ctx, jobs, solvable)
		return err
	})
	return results, err
}

// buildAll solves, assembles, verifies and delivers, once.
func (e *Engine) buildAll(ctx context.Context, jobs []Job, solvable [][]graph) ([]Result, error) {
	d, err := newDisplay(e.options.progress, e.options.progressMode)
	if err != nil {
		return nil, err
	}
	defer d.close()
	images := make([]*image.Image, len(jobs))
	keys := make([]string, len(jobs))
	var made []int // of the jobs whose images no earlier build has made
	for i, job := range jobs {
		keys[i] = e.built().key(job, solvable[i])
		if images[i] = e.unchanged(job, keys[i], d); images[i] == nil {
			made = append(made, i)
		}
	}
	for _, i := range made {
		if err := e.offer(ctx, solvable[i]); err != nil {
			return nil, err
		}
	}
	placed := e.place(made, jobs, solvable)
	eg, egCtx := errgroup.WithContext(ctx)
	for _, i := range made {
		eg.Go(func() (err error) {
			images[i], err = e.build(egCtx, jobs[i], solvable[i], placed[i], d)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, e.solveFailed(ctx, d, err)
	}
	if len(made) > 0 {
		if err := d.step("verifying", func() error { return e.verify(ctx, made, jobs, solvable, images) }); err != nil {
			return nil, suspect(ctx, images, err)
		}
	}
	for _, i := range made {
		e.built().add(keys[i], images[i].Digest)
	}
	tagged, err := e.deliver(ctx, jobs, images, d)
	if err != nil {
		return nil, suspect(ctx, images, err)
	}
	results := make([]Result, len(jobs))
	for i, job := range jobs {
		results[i] = result(job, images[i], tagged)
	}
	return results, nil
}

func checkAll(jobs []Job) ([]Job, error) {
	checked := make([]Job, len(jobs))
	var errs []error
	for i, job := range jobs {
		var err error
		if checked[i], err = job.check(); err != nil {
			errs = append(errs, fmt.Errorf("job %d: %w", i+1, err))
		}
	}
	return checked, errors.Join(errs...)
}

// unchanged returns the image that an earlier build made of the same graphs, or nil.
func (e *Engine) unchanged(job Job, key string, d *display) (img *image.Image) {
	found := e.built().find(key)
	if job.NoCache || found == "" || len(e.cacheTo) > 0 { // others may not have it
		return nil
	}
	_ = d.step("finding "+job.To.Name+" as an earlier build made it", func() error {
		img, _ = e.images.Open(found, image.Compression(job.Compression)) // what is damaged is gone by now: it is built again
		return nil
	})
	return img
}

// build solves one job, each platform by itself, and assembles its image in the store.
func (e *Engine) build(ctx context.Context, job Job, graphs []graph, nodes []*node, d *display) (*image.Image, error) {
	manifests := make([]digest.Digest, len(graphs))
	eg, egCtx := errgroup.WithContext(ctx)
	for i, g := range graphs {
		g.image, g.noCache = repository(job.To.Name), job.NoCache
		eg.Go(func() error {
			return e.onNode(egCtx, nodes[i], func(ctx context.Context, n *node, conn *connection) (err error) {
				manifests[i], err = e.solve(ctx, g, n, conn, d)
				return err
			})
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	var img *image.Image
	err := d.step("compressing and checking "+job.To.Name, func() (err error) {
		img, err = e.images.Assemble(ctx, image.Compression(job.Compression), manifests...)
		return err
	})
	return img, err
}

func result(job Job, img *image.Image, tagged []name.Tag) Result {
	first, err := name.NewTag(job.To.Name)
	if err != nil {
		panic(err) // it was checked
	}
	r := Result{
		Tags:   append([]string{first.TagStr()}, job.To.Tags...),
		Name:   job.To.Name,
		Ref:    job.To.Name + "@" + img.Digest.String(),
		Digest: img.Digest.String(),
		Index:  img.Index(),
	}
	for _, tag := range tagged {
		if tag.Context() == first.Context() && !slices.Contains(r.Tags, tag.TagStr()) {
			r.Tags = append(r.Tags, tag.TagStr())
		}
	}
	for _, p := range img.Platforms {
		r.Platforms = append(r.Platforms, PlatformResult{Platform: p.Platform, Digest: p.Digest.String(), Size: p.Size})
	}
	return r
}
