package imagesource_test

import (
	"context"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/lucidbase/imagesource"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Any image can be judged, whoever made it and with whatever tool: here one of an OCI
// layout. A tar and what "docker save" writes are opened in the same way.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := exampleLayout()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	archive, err := imagesource.Open(ctx, dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer archive.Close()
	contract := func(v1.Platform) verify.Contract { return verify.Contract{Only: []string{"user", "command"}} }
	for _, img := range archive.Images {
		results, err := verify.Index(ctx, img.Index, nil, contract, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range results {
			for _, f := range r.Findings {
				fmt.Printf("%s: %s\n", r.Platform, f)
			}
		}
	}
	// Output:
	// linux/amd64: user: config:User: no user: everything runs as root
	// linux/amd64: command: config:Cmd: shell form, which needs a shell: /bin/sh -c
}

// exampleLayout writes an image that breaks two rules.
func exampleLayout() (string, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{Cmd: []string{"/bin/sh", "-c", "python app.py"}}})
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "layout-*")
	if err != nil {
		return "", err
	}
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		return dir, err
	}
	return dir, p.AppendImage(img)
}

// An image of a registry is judged without being stored. Its layers are fetched when they
// are read.
func ExampleFetch() {
	ctx := context.Background()
	ref, err := name.ParseReference("registry.example.com/team/service:v1")
	if err != nil {
		fmt.Println(err)
		return
	}
	img, err := imagesource.Fetch(ctx, ref, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := verify.Index(ctx, img.Index, nil, func(v1.Platform) verify.Contract { return verify.Contract{} }, nil)
	fmt.Println(len(results), err)
}
