package sandbox

import (
	"context"
	"io"
	"net"
)

// Dialer connects from inside a container, as Process.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Publish listens on an address of this machine and connects what comes with HOST:PORT, as
// it is dialled from inside a container, until the listener is closed.
func Publish(ctx context.Context, address, to string, dial Dialer) (net.Listener, error) {
	var c net.ListenConfig
	lis, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	go forward(lis, to, dial)
	return lis, nil
}

func forward(lis net.Listener, address string, dial Dialer) {
	for {
		outer, err := lis.Accept()
		if err != nil {
			return
		}
		go func() {
			defer outer.Close()
			inner, err := dial(context.Background(), "tcp", address)
			if err != nil {
				return // nobody listens: the connection ends
			}
			defer inner.Close()
			both(outer, inner)
		}()
	}
}

// both copies in both directions until each has ended.
func both(a, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(a, b) // an end, whoever made it
		closeWrite(a)
	}()
	_, _ = io.Copy(b, a)
	closeWrite(b)
	<-done
}

// closeWrite ends one direction, of what has two.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an end, whoever made it
	}
}
