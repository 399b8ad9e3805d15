// Package command makes a program of services: its main function is one line.
//
//	func main() { command.Main(hello) }
//
// "go run . build --push" then builds and pushes them. The program has the commands build,
// graph, verify, run, compose, k8s, doctor, du, prune and version of lucidbase, with the same flags,
// for its own services.
package command

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/lucid-project/base-images/internal/cli"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/variants"
)

// Main runs the program's arguments as a command, and ends the program.
func Main(services ...variants.Service) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	streams := cli.Streams{Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	status := cli.RunServices(ctx, filepath.Base(os.Args[0]), os.Args[1:], streams, services...)
	stop()
	os.Exit(status)
}
