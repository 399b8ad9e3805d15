package docker

import (
	"errors"
	"net"
	"strings"
)

// throughSSH is a connection through the program ssh, which says why there is none when
// it is read.
type throughSSH struct {
	net.Conn
	at *Daemon
}

// Read returns an *Error with the first line of what ssh said.
func (c throughSSH) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	if _, said, ok := strings.Cut(err.Error(), "stderr="); ok {
		line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
		err = c.at.failed(errors.New(strings.TrimSpace(line)))
	}
	return n, err
}

// CloseWrite ends what is written, where the connection can say so.
func (c throughSSH) CloseWrite() error { return readAhead{Conn: c.Conn}.CloseWrite() }
