package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// batch is what goes to one Output.
type batch struct {
	output   Output
	delivery Delivery
	jobs     []int // of which the images are
}

// batches sorts jobs by their Outputs. Registries come last: a tag moves only when
// everything else has worked.
func (e *Engine) batches(jobs []Job) ([]*batch, error) {
	var all []*batch
	for i, job := range jobs {
		for _, to := range job.destinations() {
			tag, err := name.NewTag(to.Name)
			if err != nil {
				return nil, err
			}
			at := slices.IndexFunc(all, func(b *batch) bool { return b.output == to.Output })
			if at < 0 {
				at = len(all)
				all = append(all, &batch{output: to.Output, delivery: Delivery{Transport: e.transport, lenders: image.Lenders{Dir: e.options.pushedDir()}}})
			}
			all[at].delivery.Images = append(all[at].delivery.Images, Image{Name: tag, Tags: to.Tags, Series: to.Series, Platforms: job.Platforms})
			all[at].jobs = append(all[at].jobs, i)
		}
	}
	slices.SortStableFunc(all, func(a, b *batch) int { return pushed(a) - pushed(b) })
	return all, nil
}

func pushed(b *batch) int {
	if b.output == Output(registries{}) {
		return 1
	}
	return 0
}

// checkOutputs asks every Output before anything is built.
func (e *Engine) checkOutputs(ctx context.Context, jobs []Job) error {
	batches, err := e.batches(jobs)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err := b.output.Check(ctx, b.delivery); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends every image where its job says, and returns the tags that images have got
// besides.
func (e *Engine) deliver(ctx context.Context, jobs []Job, images []*image.Image, d *display) ([]name.Tag, error) {
	batches, err := e.batches(jobs)
	if err != nil {
		return nil, err
	}
	var tagged []name.Tag
	ctx = patient.WithWaiter(ctx, d.wait)
	for _, b := range batches {
		for i, job := range b.jobs {
			b.delivery.Images[i].Index = images[job].Index()
		}
		doing := "delivering " + jobs[b.jobs[0]].To.Name
		if s, ok := b.output.(fmt.Stringer); ok {
			doing = s.String()
		}
		b.delivery.step = func(line string) { _ = d.step(line, func() error { return nil }) }
		b.delivery.tagged = func(tag name.Tag) { tagged = append(tagged, tag) }
		if err := d.step(doing, func() error { return b.output.Deliver(ctx, b.delivery) }); err != nil {
			return nil, err
		}
	}
	return tagged, nil
}
