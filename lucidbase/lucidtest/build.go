package lucidtest

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded" // what builds where nothing else is named
)

// machine is this machine's platform.
func machine() ocispecs.Platform {
	return ocispecs.Platform{OS: "linux", Architecture: runtime.GOARCH}
}

// build builds a Spec's image for one platform.
func build(t testing.TB, spec lucidbase.Spec, p ocispecs.Platform) v1.Image {
	t.Helper()
	img, err := buildImage(t.Context(), spec, p)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func buildImage(ctx context.Context, spec lucidbase.Spec, p ocispecs.Platform) (v1.Image, error) {
	img, err := buildOne(ctx, spec, p)
	if err != nil {
		return nil, fmt.Errorf("building the image: %w", err)
	}
	return img, nil
}

func buildOne(ctx context.Context, spec lucidbase.Spec, p ocispecs.Platform) (v1.Image, error) {
	eng, err := engine.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{Spec: spec, Platforms: []ocispecs.Platform{p}, To: engine.Keep("lucidtest")})
	if err != nil {
		return nil, err
	}
	digest, err := v1.NewHash(res.Platforms[0].Digest)
	if err != nil {
		return nil, err
	}
	return res.Index.Image(digest)
}
