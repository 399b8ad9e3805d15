// Command own-variant builds a base image of one's own: Python's, with a file that every
// service of a company reads. Its argument is a directory.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/variants"
)

// Company is the smallest base with the company's settings in /etc/company.toml.
type Company struct{ Region string }

// Graph puts a layer on another Spec's image.
func (c Company) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	g, err := variants.Bare{Labels: map[string]string{"com.example.region": c.Region}}.Graph(p)
	if err != nil {
		return g, err
	}
	settings := fmt.Appendf(nil, "region = %q\n", c.Region)
	g.State = g.State.File(llb.Mkfile("/etc/company.toml", 0o644, settings, llb.WithCreatedTime(time.Unix(lucidbase.EpochSeconds, 0))))
	g.Config.History = append(g.Config.History, ocispecs.History{CreatedBy: "company.toml"})
	return g, nil
}

func main() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "", engine.WithProgress(os.Stderr)) // $BUILDKIT_HOST or embedded
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{Spec: Company{Region: "eu"}, To: engine.Layout(os.Args[1], "example/company-base")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Digest)
}
