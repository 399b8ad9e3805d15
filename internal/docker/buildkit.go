package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// BuildKit asks for a path of Docker's API that leads to Docker's own BuildKit, /grpc or
// /session, and returns the connection when it has become another protocol's.
func (d *Daemon) BuildKit(ctx context.Context, path, proto string, header http.Header) (net.Conn, error) {
	conn, err := d.Upgrade(ctx, path, proto, header, nil)
	if answer := (*upgradeError)(nil); errors.As(err, &answer) {
		return nil, fmt.Errorf("it has no BuildKit: %w", err)
	}
	return conn, err
}

// Upgrade posts a body to a path of Docker's API, and returns the connection when it has
// become another protocol's.
func (d *Daemon) Upgrade(ctx context.Context, path, proto string, header http.Header, body io.Reader) (net.Conn, error) {
	conn, err := d.Dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends what waits for it
	r := bufio.NewReader(conn)
	err = upgrade(ctx, conn, r, path, proto, header, body)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return readAhead{conn, r}, nil
}

// upgradeError is that a daemon refused.
type upgradeError struct{ path, status, said string }

// Error quotes the answer.
func (e *upgradeError) Error() string { return e.path + ": " + e.status + ": " + e.said }

// readAhead is a connection of which a reader has had the beginning.
type readAhead struct {
	net.Conn
	r *bufio.Reader
}

// Read reads from the reader.
func (c readAhead) Read(p []byte) (int, error) { return c.r.Read(p) }

// CloseWrite ends what is written, where the connection can say so.
func (c readAhead) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

func upgrade(ctx context.Context, conn net.Conn, r *bufio.Reader, path, proto string, header http.Header, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://docker"+path, body)
	if err != nil {
		return err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", proto)
	if err := req.Write(conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", path, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	return &upgradeError{path, resp.Status, strings.Join(strings.Fields(string(said)), " ")}
}
