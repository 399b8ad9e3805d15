// Command push builds the image for web services and pushes it: push REF.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/variants"
)

func main() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr)) // $BUILDKIT_HOST or embedded
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{
		Spec: variants.Python{Env: map[string]string{"LOG_LEVEL": "info"}},
		To:   engine.Push(os.Args[1]),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Ref) // NAME:TAG@sha256:...
}
