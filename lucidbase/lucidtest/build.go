package lucidtest

import (
	"context"
	"runtime"
	"sync"
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

// building is held by the one build of this process: more at once share nothing.
var building sync.Mutex

// build builds a Spec's image for one platform.
func build(t testing.TB, spec lucidbase.Spec, p ocispecs.Platform) v1.Image {
	t.Helper()
	img, err := buildImage(t.Context(), spec, p)
	if err != nil {
		t.Fatalf("building the image: %v", err)
	}
	return img
}

func buildImage(ctx context.Context, spec lucidbase.Spec, p ocispecs.Platform) (v1.Image, error) {
	building.Lock()
	defer building.Unlock()
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
