// Command lucidbase builds the Lucid base images.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/lucid-project/base-images/internal/cli"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// A long run takes a fifth less memory; a short one would collect for nothing.
		time.AfterFunc(time.Second, func() { debug.SetGCPercent(50) })
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(status)
}
