// Command hello builds a service of the standard library alone: "go run . build" writes
// its image to dist/hello, for both platforms, and "go run . run hello" runs it.
package main

import (
	"embed"

	"github.com/lucid-project/base-images/lucidbase/command"
	"github.com/lucid-project/base-images/variants"
)

//go:embed all:src
var files embed.FS

var hello = variants.Service{
	Name:    "hello",
	Base:    variants.Bare{},
	Source:  []variants.Source{{From: variants.FS(files), To: "/app"}},
	Command: []string{"python", "-m", "src.main"},
	Port:    8000,
	Health:  variants.Health{Path: "/"},
}

func main() { command.Main(hello) }
