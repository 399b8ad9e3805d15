// Command alpine builds the Alpine image with psutil 5.9.6, which nobody
// publishes for musl: it is compiled for both CPUs. Its argument is a directory.
//
// The locks beside it are from "lucidbase lock -r requirements.txt --target
// musllinux_1_2_x86_64,musllinux_1_2_aarch64".
package main

import (
	"context"
	"embed"
	"fmt"
	"log"
	"os"

	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

//go:embed requirements.lock.txt requirements.lock.toml
var locks embed.FS

// image is Alpine and what requirements.txt lists.
func image() (variants.Alpine, error) {
	packages, err := lock.Read(locks, "requirements.lock.txt")
	return variants.Alpine{Packages: packages}, err
}

func main() {
	ctx := context.Background()
	spec, err := image()
	if err != nil {
		log.Fatal(err)
	}
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr)) // $BUILDKIT_HOST or embedded
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{Spec: spec, To: engine.Layout(os.Args[1], "lucid/alpine:latest")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Digest)
}
