package engine_test

import (
	"context"
	"fmt"
	"log"
	"os"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/variants"
)

// A program that imports lucidbase/engine/embedded for its side effect needs no
// other BuildKit.
func Example() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr)) // $BUILDKIT_HOST or embedded
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{
		Spec:      variants.Python{},
		Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64, lucidbase.LinuxARM64},
		To:        engine.Push("registry.example.com/lucid/python-base:v1.0.0"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Ref) // registry.example.com/lucid/python-base:v1.0.0@sha256:...
}

// Several images are built at once; what they share is built and uploaded once.
func ExampleEngine_BuildAll() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock", engine.WithCABundle("/etc/company/ca.pem"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	results, err := eng.BuildAll(ctx, []engine.Job{
		{Spec: variants.Standard{}, To: engine.Layout("dist/base", "lucid/base:latest")},
		{Spec: variants.Python{}, To: engine.Layout("dist/python-base", "lucid/python-base:latest")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, res := range results {
		fmt.Println(res.Name, res.Digest)
	}
}

// list is an Output that writes a line for each platform of each image.
type list struct{ file *os.File }

func (list) Check(context.Context, engine.Delivery) error { return nil }

func (l list) Deliver(_ context.Context, d engine.Delivery) error {
	for _, img := range d.Images {
		m, err := img.Index.IndexManifest()
		if err != nil {
			return err
		}
		for _, desc := range m.Manifests {
			fmt.Fprintln(l.file, img.Name, desc.Platform, desc.Digest)
		}
	}
	return nil
}

// An Output of one's own takes images anywhere: it has them as go-containerregistry
// does, once all are built and fulfil their contracts.
func ExampleOutput() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	to := list{os.Stdout}
	_, err = eng.BuildAll(ctx, []engine.Job{
		{Spec: variants.Standard{}, To: engine.Destination{Name: "lucid/base", Output: to}},
		{Spec: variants.Python{}, To: engine.Destination{Name: "lucid/python-base", Output: to}},
	})
	if err != nil {
		log.Fatal(err)
	}
}
