package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
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

// A release under several tags: its own, one that says what it is for, and those of its
// series, v1.4 and v1.
func ExamplePush() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{
		Spec: variants.Python{},
		To:   engine.Push("registry.example.com/lucid/python-base:v1.4.2", engine.Tags("stable"), engine.Series()),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Tags) // [v1.4.2 stable v1.4 v1]
}

// An image goes to several places at once. In Docker it can be run right away:
// docker run lucid/python-base.
func ExampleLoad() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	_, err = eng.Build(ctx, engine.Job{
		Spec: variants.Python{},
		To:   engine.Load("lucid/python-base"),
		Also: []engine.Destination{
			engine.LoadInto(engine.ContainerdStore("/run/k3s/containerd/containerd.sock"), "lucid/python-base"),
			engine.Push("registry.example.com/lucid/python-base"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A tar for machines without a registry: docker load -i python-base.tar.
func ExampleTar() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	_, err = eng.Build(ctx, engine.Job{
		Spec:      variants.Python{},
		Platforms: []ocispecs.Platform{lucidbase.LinuxARM64},
		To:        engine.Tar("python-base.tar", engine.Docker, "lucid/python-base"),
	})
	if err != nil {
		log.Fatal(err)
	}
}

// One image for a node of k3s, in its containerd: no registry is asked for it.
func ExampleLoadInto() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	_, err = eng.Build(ctx, engine.Job{
		Spec: variants.Python{},
		To:   engine.LoadInto(engine.ContainerdStore("/run/k3s/containerd/containerd.sock"), "lucid/python-base"),
	})
	if err != nil {
		log.Fatal(err)
	}
}

// What a user writes names a store.
func ExampleParseStore() {
	_, err := engine.ParseStore("rkt")
	fmt.Println(err)
	// Output: "rkt" is not docker, podman or containerd:ADDRESS
}

// A tar goes through a pipe, such as that of "program | ssh pi docker load".
func ExampleTarTo() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	_, err = eng.Build(ctx, engine.Job{
		Spec:      variants.Python{},
		Platforms: []ocispecs.Platform{lucidbase.LinuxARM64},
		To:        engine.TarTo(os.Stdout, engine.Docker, "lucid/python-base"),
	})
	if err != nil {
		log.Fatal(err)
	}
}

// An image that is only looked at is read from the cache directory.
func ExampleKeep() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{Spec: variants.Bare{}, To: engine.Keep("lucid/bare-base")})
	if err != nil {
		log.Fatal(err)
	}
	manifest, err := res.Index.IndexManifest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(manifest.Manifests)) // 2: one for each platform
}

// An image that stands on another one is resolved before the build, to see whether that
// can be reached.
func ExampleEngine_Resolve() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithImageMirrors("docker.io=registry.example.com/hub"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	spec, err := eng.Resolve(ctx, variants.Alpine{}, nil)
	if errors.Is(err, alpine.ErrNoImage) {
		log.Print("building without Alpine: ", err)
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	if _, err := eng.Build(ctx, engine.Job{Spec: spec, To: engine.Load("lucid/alpine-base")}); err != nil {
		log.Fatal(err)
	}
}

// What the cache directory holds, and what goes when it is to stay under a size.
func ExampleEngine_Usage() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "embedded")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	usage, err := eng.Usage(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, u := range usage {
		fmt.Println(u.Kind, u.Size, u.Count) // downloads 412345678 190
	}
}

// A cache of at most 5 GB, in which nothing stays that nobody has used for a month. A build
// beside it loses nothing.
func ExampleEngine_Prune() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "embedded")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	freed, err := eng.Prune(ctx, engine.Limit{Bytes: 5e9, Age: 30 * 24 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(freed, "bytes")
}
