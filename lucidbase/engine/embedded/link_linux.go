package embedded

import (
	"errors"
	"fmt"
	"net"

	"github.com/lucid-project/base-images/internal/reexec"
)

// The program and its child talk over a socket pair, which needs no name in any
// file system and ends when either of them does.

// The first word of a message.
const (
	msgMapped = "mapped" // to the child: its users and groups are mapped
	msgDial   = "dial"   // to the child, with a socket: serve BuildKit on it
	msgStop   = "stop"   // to the child: end in good order
	msgReady  = "ready"  // from the child: BuildKit runs
	msgFailed = "failed" // from the child: BuildKit does not, and why
	msgBroken = "broken" // from the child: BuildKit does not, because of its state
	msgWarn   = "warn"   // from the child: a warning that BuildKit logged
)

// link is one end of the socket pair.
type link struct{ reexec.Link }

// errStop says that the other side wants an end.
var errStop = errors.New("told to stop")

// Accept waits for a connection from the other side: link is the listener
// that the child serves on.
func (c link) Accept() (net.Conn, error) {
	for {
		message, socket, err := c.Receive()
		if err != nil {
			return nil, err
		}
		if socket == nil {
			return nil, fmt.Errorf("%w: %s", errStop, message)
		}
		if conn, err := reexec.Connection(socket); err == nil {
			return conn, nil
		}
	}
}

// Addr is nothing that anybody could dial.
func (c link) Addr() net.Addr { return c.LocalAddr() }
