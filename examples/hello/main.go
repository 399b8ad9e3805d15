// Command hello builds a service of the standard library alone: hello DIRECTORY
// writes its image there, for both platforms.
package main

import (
	"context"
	"embed"
	"fmt"
	"log"
	"os"

	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/variants"
)

//go:embed src
var files embed.FS

var hello = variants.Service{
	Name:    "hello",
	Base:    variants.Bare{},
	Source:  []variants.Source{{From: variants.FS(files), To: "/app"}},
	Command: []string{"python", "-m", "src.main"},
	Port:    8000,
	Health:  variants.Health{Path: "/"},
}

func main() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr)) // $BUILDKIT_HOST or embedded
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{Spec: hello, To: engine.Layout(os.Args[1], "lucid/hello:latest")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Digest)
}
