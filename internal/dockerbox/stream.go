package dockerbox

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

// What the first byte of a piece of output says that it is of.
const (
	stdout = 1
	stderr = 2
)

// demux copies the output of a container without terminal to two writers, until its end:
// each piece is behind eight bytes with its kind and length
// (https://docs.docker.com/reference/api/engine, "Attach to a container", "Stream format").
func demux(r io.Reader, outs map[byte]io.Writer) error {
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		out := outs[head[0]]
		if out == nil {
			out = io.Discard
		}
		if _, err := io.CopyN(out, r, int64(binary.BigEndian.Uint32(head[4:]))); err != nil {
			return err
		}
	}
}

// conn is a connection that a program in a container makes for us: what is written goes to
// its input, what is read is its output.
type conn struct {
	net.Conn                // to the daemon
	out      *io.PipeReader // the program's output
	address  address
}

// newConn returns the connection of a program that was attached to.
func newConn(to net.Conn, a address) *conn {
	r, w := io.Pipe()
	go func() { w.CloseWithError(demux(to, map[byte]io.Writer{stdout: w})) }()
	return &conn{Conn: to, out: r, address: a}
}

// Read reads what the other side sent.
func (c *conn) Read(p []byte) (int, error) { return c.out.Read(p) }

// Close ends both directions.
func (c *conn) Close() error {
	c.out.Close()
	return c.Conn.Close()
}

// CloseWrite ends what is written, as net.TCPConn's does.
func (c *conn) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// RemoteAddr is what was dialled.
func (c *conn) RemoteAddr() net.Addr { return c.address }

// SetDeadline is SetReadDeadline, which counts for writing, too.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline is SetDeadline of the connection to the daemon, which is where reading
// waits.
func (c *conn) SetReadDeadline(t time.Time) error { return c.Conn.SetDeadline(t) }

// address is HOST:PORT as it was dialled.
type address struct{ network, text string }

// Network implements net.Addr.
func (a address) Network() string { return a.network }

// String implements net.Addr.
func (a address) String() string { return a.text }

// datagrams is a connection whose reads and writes are datagrams, which travel behind
// their length.
type datagrams struct{ *conn }

// Read reads one datagram; what has no room in p is lost.
func (d datagrams) Read(p []byte) (int, error) {
	var size [2]byte
	if _, err := io.ReadFull(d.conn, size[:]); err != nil {
		return 0, err
	}
	data := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(d.conn, data); err != nil {
		return 0, err
	}
	return copy(p, data), nil
}

// Write sends one datagram.
func (d datagrams) Write(p []byte) (int, error) {
	if len(p) > 1<<16-1 {
		return 0, errors.New("a datagram has at most 65535 bytes")
	}
	if _, err := d.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}
