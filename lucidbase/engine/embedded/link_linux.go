package embedded

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
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

// maxMessage is more than a message has; what is longer is cut.
const maxMessage = 16 << 10

// link is one end of the socket pair.
type link struct{ *net.UnixConn }

// socketPair makes two connected sockets, as files of this process alone.
func socketPair(kind int) (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket"), nil
}

// connection makes a connection of a socket, and closes the file.
func connection(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// send sends a message, and a socket with it unless it is nil.
func (c link) send(word, text string, socket *os.File) error {
	var rights []byte
	if socket != nil {
		rights = unix.UnixRights(int(socket.Fd()))
	}
	message := []byte(word + " " + text)
	_, _, err := c.WriteMsgUnix(message[:min(len(message), maxMessage)], rights, nil)
	return err
}

// receive gives a message and the socket that came with it, or nil; io.EOF means
// that the other side is gone.
func (c link) receive() (message string, socket *os.File, err error) {
	buf, oob := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
	if err != nil || n == 0 {
		return "", nil, errors.Join(io.EOF, err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) == 0 {
		return string(buf[:n]), nil, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return string(buf[:n]), nil, err
	}
	return string(buf[:n]), os.NewFile(uintptr(fds[0]), "socket"), nil
}

// errStop says that the other side wants an end.
var errStop = errors.New("told to stop")

// Accept waits for a connection from the other side: link is the listener
// that the child serves on.
func (c link) Accept() (net.Conn, error) {
	for {
		message, socket, err := c.receive()
		if err != nil {
			return nil, err
		}
		if socket == nil {
			return nil, fmt.Errorf("%w: %s", errStop, message)
		}
		if conn, err := connection(socket); err == nil {
			return conn, nil
		}
	}
}

// Addr is nothing that anybody could dial.
func (c link) Addr() net.Addr { return c.LocalAddr() }
