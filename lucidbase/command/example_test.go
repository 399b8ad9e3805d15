package command_test

import (
	"embed"

	"github.com/lucid-project/base-images/lucidbase/command"
	"github.com/lucid-project/base-images/variants"
)

//go:embed command.go
var files embed.FS // in a program: "//go:embed all:src"

// A program is the command for its own services: go run . build --push, go run . run hello.
func ExampleMain() {
	main := func() {
		command.Main(variants.Service{
			Name:    "hello",
			Base:    variants.Bare{},
			Source:  []variants.Source{{From: variants.FS(files), To: "/app"}},
			Command: []string{"python", "-m", "src.main"},
			Port:    8000,
		})
	}
	_ = main
}
