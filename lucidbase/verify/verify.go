package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/rules"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Result is the judgement of one platform's image.
type Result struct {
	// Platform is what the index says, or the config where there is no index.
	Platform v1.Platform
	// Digest is the manifest's; zero where there is none.
	Digest v1.Hash
	// Findings break the contract; Waived would, without a waiver.
	Findings, Waived []Finding
	// Layers and Files count what was looked at.
	Layers, Files int
}

// Image scans the layers of an image that store has no facts of, several at
// once, and checks it. store may be nil. The error is that something could not
// be read; findings are no error.
func Image(ctx context.Context, img v1.Image, c Contract, store Store) (Result, error) {
	return verifyImage(ctx, img, c, store, nil)
}

// verifyImage adds what is wrong with the index about the image.
func verifyImage(ctx context.Context, img v1.Image, c Contract, store Store, index []overlay.Hit) (Result, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return Result{}, fmt.Errorf("reading the config: %w", err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return Result{}, fmt.Errorf("reading the manifest: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return Result{}, fmt.Errorf("reading the layers: %w", err)
	}
	facts, err := ScanAll(ctx, claimed(layers, config.RootFS.DiffIDs), store)
	if err != nil {
		return Result{}, err
	}
	r := Result{Platform: rules.PlatformOf(config), Layers: len(facts)}
	for _, f := range facts {
		r.Files += len(f.Files)
	}
	im := overlay.New(config, facts, c.want())
	im.Manifest, im.Index = manifest, index
	r.Findings, r.Waived = judge(im, c)
	return r, nil
}

// claimedLayer has the diff ID that the config claims: to ask the layer itself may
// mean to decompress it.
type claimedLayer struct {
	v1.Layer
	diffID v1.Hash
}

// DiffID returns the config's.
func (l claimedLayer) DiffID() (v1.Hash, error) { return l.diffID, nil }

func claimed(layers []v1.Layer, diffIDs []v1.Hash) []v1.Layer {
	if len(layers) != len(diffIDs) {
		return layers
	}
	named := make([]v1.Layer, len(layers))
	for i, l := range layers {
		named[i] = claimedLayer{l, diffIDs[i]}
	}
	return named
}

// ScanAll returns the facts of each layer, from the store where it has them. A
// layer's kept facts count only when they were made from the same blob: a config
// may claim any diff ID.
func ScanAll(ctx context.Context, layers []v1.Layer, store Store) ([]Facts, error) {
	facts := make([]Facts, len(layers))
	errs := make([]error, len(layers))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i, layer := range layers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if facts[i], errs[i] = scanOnce(ctx, layer, store); errs[i] != nil {
				errs[i] = fmt.Errorf("layer %d: %w", i+1, errs[i])
				cancel() // the others' work is for nothing
			}
		})
	}
	wg.Wait()
	return facts, firstCause(errs)
}

// firstCause prefers an error over those that it caused by ending the others.
func firstCause(errs []error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

func scanOnce(ctx context.Context, layer v1.Layer, store Store) (Facts, error) {
	if store == nil {
		return scanBlob(ctx, layer)
	}
	blob, err := layer.Digest()
	if err != nil {
		return Facts{}, err
	}
	diffID, err := layer.DiffID()
	if err != nil {
		return Facts{}, err
	}
	if f, ok := store.Load(ctx, diffID); ok && f.Blob == blob {
		return f, nil
	}
	f, err := scanBlob(ctx, layer)
	if err != nil {
		return Facts{}, err
	}
	f.Blob = blob
	return f, store.Save(ctx, f)
}

func scanBlob(ctx context.Context, layer v1.Layer) (Facts, error) {
	f, err := scan.Layer(ctx, layer)
	if err != nil {
		return Facts{}, err
	}
	f.Compression, err = compression(layer)
	return f, err
}

// compression looks at the first bytes of a layer's blob.
func compression(layer v1.Layer) (string, error) {
	blob, err := layer.Compressed()
	if err != nil {
		return "", fmt.Errorf("opening the blob: %w", err)
	}
	defer blob.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(blob, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("reading the blob: %w", err)
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952
		return "gzip", nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878
		return "zstd", nil
	}
	return "none", nil
}
