// Command lucidbase builds the Lucid base images.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lucid-project/base-images/internal/cli"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(status)
}
