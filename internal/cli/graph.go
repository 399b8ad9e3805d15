package cli

import (
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/llbtext"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/variants"
)

func newGraph(s Streams, own []image) *cobra.Command {
	var target, build, format string
	file := fileFlag{own: own}
	cmd := &cobra.Command{
		Use:   "graph IMAGE",
		Short: "Print an image's BuildKit graph for one platform; nothing is built",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := file.find(args)
			if err != nil {
				return err
			}
			write, ok := graphFormats[format]
			if !ok {
				return usagef("--format %q: not one of text, dot, mermaid, json", format)
			}
			var p lucidbase.Platforms
			if p.Target, err = lucidbase.ParsePlatform(target); err != nil {
				return usagef("--platform: %w", err)
			}
			if p.Build, err = lucidbase.ParsePlatform(build); err != nil {
				return usagef("--build-platform: %w", err)
			}
			g, err := found[0].spec(variants.Options{}).Graph(p)
			if err != nil {
				return err
			}
			def, err := g.State.Marshal(cmd.Context(), llb.Platform(p.Target))
			if err != nil {
				return err
			}
			ops, err := llbtext.Ops(def)
			if err != nil {
				return err
			}
			fmt.Fprint(s.Out, write(ops))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&target, "platform", "linux/amd64", "platform of the image")
	f.StringVar(&build, "build-platform", "linux/amd64", "platform that the build's tools run on")
	f.StringVar(&format, "format", "text", "text, dot, mermaid or json")
	file.add(f)
	return cmd
}

var graphFormats = map[string]func([]llbtext.Op) string{
	"text": llbtext.Text, "dot": llbtext.Dot, "mermaid": llbtext.Mermaid, "json": llbtext.JSON,
}
