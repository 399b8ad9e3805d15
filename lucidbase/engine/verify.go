package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// ContractError says that images were built and break the contract: nobody got any
// of them.
type ContractError struct {
	// Results are those that have findings; each has the image's name.
	Results []Verified
}

// Verified is an image's result on one platform.
type Verified struct {
	// Name is the image by name and tag.
	Name string
	verify.Result
}

// Error returns a line for each finding.
func (e *ContractError) Error() string {
	var lines []string
	for _, r := range e.Results {
		for _, f := range r.Findings {
			lines = append(lines, fmt.Sprintf("%s %s: %s", r.Name, r.Platform, f))
		}
	}
	return strings.Join(lines, "\n")
}

// contractOf returns the graph's contract for the platform. A Spec can excuse
// single files from single rules, not switch rules off.
func contractOf(g lucidbase.Graph, target ocispecs.Platform) (verify.Contract, error) {
	c := g.Contract
	var errs []error
	if len(c.Only) > 0 || len(c.Except) > 0 {
		errs = append(errs, errors.New("Contract: Only and Except are for looking at images, not for building them; use Waivers"))
	}
	for _, w := range c.Waivers {
		if err := w.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("Contract: %w", err))
		}
	}
	c.Platform = v1.Platform{OS: target.OS, Architecture: target.Architecture}
	return c, errors.Join(errs...)
}

// factsDir keeps what was found in layers.
func (o options) factsDir() string { return filepath.Join(o.cacheDir, "facts") }

// verify proves every platform of the images that were made, before any is delivered.
func (e *Engine) verify(ctx context.Context, made []int, jobs []Job, graphs [][]graph, images []*image.Image) error {
	var unproved []*image.Image
	for _, i := range made {
		unproved = append(unproved, images[i])
	}
	store, err := e.scan(ctx, unproved)
	if err != nil {
		return err
	}
	results := make([][]verify.Result, len(images))
	eg, ctx := errgroup.WithContext(ctx)
	for _, i := range made {
		eg.Go(func() (err error) {
			if results[i], err = judge(ctx, images[i], graphs[i], store); err != nil {
				return fmt.Errorf("verifying %s: %w", jobs[i].To.Name, err)
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	broken := &ContractError{}
	for i := range results {
		for _, r := range results[i] {
			if len(r.Findings) > 0 {
				broken.Results = append(broken.Results, Verified{jobs[i].To.Name, r})
			}
		}
	}
	if len(broken.Results) > 0 {
		return broken
	}
	return nil
}

// judge holds an image to its graphs' contracts.
func judge(ctx context.Context, img *image.Image, graphs []graph, store verify.Store) ([]verify.Result, error) {
	contracts := map[string]verify.Contract{}
	var want []v1.Platform
	for _, g := range graphs {
		want = append(want, g.contract.Platform)
		contracts[g.contract.Platform.String()] = g.contract
	}
	contract := func(p v1.Platform) verify.Contract { return contracts[p.String()] }
	return verify.Index(ctx, img.Index(), want, contract, store)
}

// scan reads the layers of all images at once, each layer once, and none that an
// earlier build has read.
func (e *Engine) scan(ctx context.Context, images []*image.Image) (verify.Store, error) {
	seen := map[v1.Hash]bool{}
	var layers []v1.Layer
	for _, img := range images {
		for _, l := range img.Layers() {
			id, err := l.Digest()
			if err != nil {
				return nil, err
			}
			if !seen[id] {
				seen[id] = true
				layers = append(layers, l)
			}
		}
	}
	facts, err := verify.ScanAll(ctx, layers, verify.Dir(e.options.factsDir()))
	if err != nil {
		return nil, fmt.Errorf("verifying: %w", err)
	}
	store := &verify.Memory{}
	for _, f := range facts {
		if err := store.Save(ctx, f); err != nil {
			return nil, err
		}
	}
	return store, nil
}

// noteImages writes what images are excused from, and what else there is to say, with
// every build.
func (e *Engine) noteImages(jobs []Job, graphs [][]graph) {
	if e.options.progress == nil {
		return
	}
	for i, job := range jobs {
		for _, line := range notes(graphs[i]) {
			fmt.Fprintf(e.options.progress, "%s: %s\n", job.To.Name, line)
		}
		for _, g := range graphs[i] {
			for _, w := range g.contract.Waivers {
				fmt.Fprintf(e.options.progress, "waived in %s %s: %s\n", job.To.Name, g.contract.Platform, w)
			}
		}
	}
}

// notes lists what graphs have to say, each line once.
func notes(graphs []graph) []string {
	var all []string
	for _, g := range graphs {
		for _, line := range g.notes {
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}
