package embedded

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Clients reach BuildKit's process at a socket in the state directory, which no
// other user can enter. It says a line first: its version, or why BuildKit does
// not run. A client then says in one byte what the connection is for.

// version is what both sides must have in common: the number changes with what
// is said at the socket and with how state is kept, the rest with BuildKit.
const version = childName + " 1 v0.34.2"

const (
	socketFile = "socket"

	// The first word of a line in place of the version.
	msgFailed = "failed" // BuildKit does not run, and why
	msgBroken = "broken" // because of its state

	// The first byte that a client says.
	forMembership = 'm' // it is one of those for whom BuildKit runs; it reads warnings
	forCalls      = 'c' // BuildKit's API

	// The first word of a line to a member.
	msgWarn  = "warn"  // a warning that BuildKit logged
	msgLeave = "leave" // BuildKit takes no more calls of it, and why

	// The first word of a member's line.
	msgDamaged = "damaged" // the state is, and how
)

// atSocket calls f with a name of the socket that has room in an address, which
// ends after 108 bytes.
func atSocket(root string, f func(addr *net.UnixAddr) error) error {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)
	return f(&net.UnixAddr{Net: "unix", Name: filepath.Join("/proc/self/fd", strconv.Itoa(dir), socketFile)})
}

// listen makes the socket. Whoever calls it holds the lock, so what is in its
// place is of nobody.
func listen(root string) (file *os.File, err error) {
	if err := os.RemoveAll(filepath.Join(root, socketFile)); err != nil {
		return nil, fmt.Errorf("making BuildKit's socket: %w", err)
	}
	err = atSocket(root, func(addr *net.UnixAddr) error {
		lis, err := net.ListenUnix("unix", addr)
		if err != nil {
			return err
		}
		lis.SetUnlinkOnClose(false)
		if file, err = lis.File(); err != nil {
			return errors.Join(err, lis.Close())
		}
		return errors.Join(os.Chmod(addr.Name, 0o600), lis.Close())
	})
	if err != nil {
		return nil, fmt.Errorf("making BuildKit's socket in %s: %w", root, err)
	}
	return file, nil
}

// dial connects to the socket. It is an error when somebody else made it.
func dial(root string) (conn *net.UnixConn, err error) {
	err = atSocket(root, func(addr *net.UnixAddr) error {
		conn, err = net.DialUnix("unix", nil, addr)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := samePeer(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

var errStranger = errors.New("the other side of the socket is another user's")

// samePeer returns errStranger unless this user is on the other side.
func samePeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if peerErr != nil {
		return peerErr
	}
	if int(peer.Uid) != os.Geteuid() {
		return errStranger
	}
	return nil
}

// sayLine writes a line; what is more than one becomes one.
func sayLine(w io.Writer, text ...string) error {
	_, err := io.WriteString(w, strings.Join(strings.Fields(strings.Join(text, " ")), " ")+"\n")
	return err
}

// maxLine is more than a line has.
const maxLine = 64 << 10

// readLine returns the next line without its end.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	return strings.TrimSuffix(string(line), "\n"), err
}

// lines reads a connection line by line.
func lines(conn net.Conn) *bufio.Reader { return bufio.NewReaderSize(conn, maxLine) }
