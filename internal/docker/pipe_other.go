//go:build !windows

package docker

import (
	"context"
	"errors"
	"net"
)

func dialPipe(context.Context, string) (net.Conn, error) {
	return nil, errors.New("npipe:// is for Windows")
}
