package reexec

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// MaxMessage is the most bytes that a message has; what is longer is cut.
const MaxMessage = 16 << 10

// Link is one end of a pair of connected sockets of the kind SOCK_SEQPACKET,
// which needs no name in any file system and ends when either side does.
type Link struct{ *net.UnixConn }

// SocketPair returns two connected sockets of a kind, as files that no other
// program inherits.
func SocketPair(kind int) (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket"), nil
}

// Connection returns the connection of a socket of this machine, and closes the
// file.
func Connection(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// Send sends a message, WORD TEXT, and an open file with it unless it is nil.
func (c Link) Send(word, text string, file *os.File) error {
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	message := []byte(word + " " + text)
	_, _, err := c.WriteMsgUnix(message[:min(len(message), MaxMessage)], rights, nil)
	return err
}

// Receive returns a message and the open file that came with it, or nil; io.EOF
// means that the other side is gone.
func (c Link) Receive() (message string, file *os.File, err error) {
	buf, oob := make([]byte, MaxMessage), make([]byte, unix.CmsgSpace(4))
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
