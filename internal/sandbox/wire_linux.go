package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// The first word of a message between the program and the sandbox's process.
const (
	msgMapped = "mapped" // to the process: its users and groups are mapped
	msgOpen   = "open"   // to the process: settings, as JSON
	msgCall   = "call"   // to the process, with a socket: answer a request on it
	msgReady  = "ready"  // from the process
	msgFailed = "failed" // from the process, and why
)

// settings are what the sandbox's process receives first.
type settings struct {
	Config
	Memory   string // an empty directory to mount memory on
	Layers   string // where unpacked layers are
	Cgroup   string // the parent of the containers' control groups; none if empty
	Emulator string // to be registered for Architecture; none if empty
	Rootless bool   // the process is root of a user namespace
}

// request is one call. Which fields it has depends on what is to be done.
type request struct {
	Do        string
	Container string
	Layers    []string // diff IDs, lowest first
	Config    v1.Config
	Args, Env []string
	Mounts    []Mount
	Network   string
	Address   string
	Path      string
	Signal    int
}

// What may be done.
const (
	doMissing = "missing" // which of Layers are not unpacked
	doUnpack  = "unpack"  // unpack the tar of a file as Layers[0]
	doRemove  = "remove"  // remove Layers, unless they are in use
	doStart   = "start"   // start a container; files are stdout and stderr
	doWait    = "wait"    // until it ends; the answer has the exit code
	doExec    = "exec"    // run Args in it; files are stdout and stderr
	doSignal  = "signal"  // send Signal to its first process
	doDial    = "dial"    // from inside it; the answer has a socket
	doOpen    = "open"    // Path in it for reading; the answer has the file
	doSockets = "sockets" // what it listens on
)

// reply is the answer to a request.
type reply struct {
	Error string
	Code  int
	List  []string
}

// writeMessage sends v and open files, and nothing after them.
func writeMessage(conn *net.UnixConn, v any, files ...*os.File) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	// The files travel with a byte of their own.
	if _, _, err := conn.WriteMsgUnix([]byte{0}, unix.UnixRights(fds...), nil); err != nil {
		return err
	}
	if _, err := conn.Write(data); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// maxFiles is the most open files that a message has.
const maxFiles = 2

// readMessage receives what writeMessage sent.
func readMessage(conn *net.UnixConn, v any) (files []*os.File, err error) {
	defer func() {
		if err != nil {
			closeAll(files)
		}
	}()
	first, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4*maxFiles))
	n, oobn, _, _, err := conn.ReadMsgUnix(first, oob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return files, err
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	data, err := io.ReadAll(conn)
	if err != nil {
		return files, err
	}
	if len(data) == 0 {
		return files, io.ErrUnexpectedEOF
	}
	return files, json.Unmarshal(data, v)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // they were only passed on
	}
}

var errGone = errors.New("the sandbox's process is gone")

// callError is what went wrong in the sandbox's process.
func callError(do string, err error) error { return fmt.Errorf("%w: %s: %w", errGone, do, err) }
