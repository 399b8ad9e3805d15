//go:build !linux

package embedded

import (
	"context"
	"fmt"
	"runtime"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// Open is an error: BuildKit's worker exists for Linux only.
func Open(context.Context, engine.BackendConfig) (engine.Backend, error) {
	return nil, fmt.Errorf("starting BuildKit: it cannot run on %s: %s", runtime.GOOS, otherWay)
}
