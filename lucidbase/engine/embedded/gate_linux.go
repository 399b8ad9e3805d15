package embedded

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gate lets clients in to BuildKit and knows when nobody is left. It is the
// listener of BuildKit's API.
type gate struct {
	root  string
	lis   *net.UnixListener
	calls chan net.Conn
	ended chan struct{} // closed when BuildKit shall end

	mu        sync.Mutex
	present   map[*net.UnixConn]bool // true for members; others have not said what they want
	builds    int                    // those that run
	condemned bool                   // no build shall start: the state is damaged
	once      sync.Once
}

func newGate(root string, lis *net.UnixListener) *gate {
	return &gate{root: root, lis: lis, calls: make(chan net.Conn), ended: make(chan struct{}), present: map[*net.UnixConn]bool{}}
}

// admit lets clients in until the socket closes.
func (g *gate) admit() {
	for {
		conn, err := g.lis.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // too many files are open
			continue
		}
		if !g.enter(conn) {
			_ = conn.Close()
			continue
		}
		go g.serve(conn)
	}
}

// enter counts a connection in, unless BuildKit ends.
func (g *gate) enter(conn *net.UnixConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.ended:
		return false
	default:
	}
	g.present[conn] = false
	return true
}

// serve finds out what a connection is for.
func (g *gate) serve(conn *net.UnixConn) {
	if err := samePeer(conn); err != nil {
		_ = sayLine(conn, msgFailed, err.Error())
		g.leave(conn)
		return
	}
	purpose := make([]byte, 1)
	if sayLine(conn, version) != nil {
		g.leave(conn)
		return
	}
	if _, err := conn.Read(purpose); err != nil {
		g.leave(conn)
		return
	}
	switch purpose[0] {
	case forMembership:
		g.mu.Lock()
		g.present[conn] = true
		g.mu.Unlock()
		g.attend(conn)
		g.leave(conn)
	case forCalls:
		select {
		case g.calls <- conn: // its client is a member, or will be gone at once
			g.forget(conn)
		case <-g.ended:
			_ = conn.Close()
		}
	}
}

// attend reads what a member says until it leaves.
func (g *gate) attend(conn *net.UnixConn) {
	r := lines(conn)
	for {
		line, err := readLine(r)
		if err != nil {
			return
		}
		if reason, ok := strings.CutPrefix(line, msgDamaged+" "); ok {
			g.condemn(reason)
		}
	}
}

// forget counts a connection out; the last one ends BuildKit.
func (g *gate) forget(conn *net.UnixConn) (last bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.present, conn)
	if last = len(g.present) == 0; last {
		g.end()
	}
	return last
}

// leave counts a connection out and closes it. The last one is closed by the end of
// the process: so its client knows when that is.
func (g *gate) leave(conn *net.UnixConn) {
	if !g.forget(conn) {
		_ = sayLine(conn, msgLeave, "BuildKit serves others")
		_ = conn.Close()
	}
}

func (g *gate) end() { g.once.Do(func() { close(g.ended) }) }

// closeSocket lets nobody in any more. Who comes now waits for the lock.
func (g *gate) closeSocket() error {
	err := os.Remove(filepath.Join(g.root, socketFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := g.lis.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return err
}

// condemn is for a damaged state. The builds that run may end, as what they use may
// be sound; then BuildKit ends, and the next start begins with nothing.
func (g *gate) condemn(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.condemned || noteDamage(g.root, reason) != nil {
		return
	}
	g.condemned = true
	_ = g.closeSocket()
	g.sayToMembers(msgLeave, "BuildKit's state is damaged: "+reason)
	if g.builds == 0 {
		g.end()
	}
}

// warn passes a warning of BuildKit's on to every member.
func (g *gate) warn(line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sayToMembers(msgWarn, line)
}

// sayToMembers does not wait for a member that does not read.
func (g *gate) sayToMembers(word, text string) {
	for conn, member := range g.present {
		if member {
			_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			_ = sayLine(conn, word, text)
		}
	}
}

// countBuild keeps count of the builds that run.
func (g *gate) countBuild(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if info.FullMethod != controlapi.Control_Solve_FullMethodName {
		return handler(ctx, req)
	}
	if !g.beginBuild() {
		return nil, status.Error(codes.Unavailable, "BuildKit's state is damaged and will be made again")
	}
	defer g.endBuild()
	return handler(ctx, req)
}

func (g *gate) beginBuild() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.condemned {
		return false
	}
	g.builds++
	return true
}

func (g *gate) endBuild() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.builds--; g.builds == 0 && g.condemned {
		g.end()
	}
}

// Accept returns the next connection to BuildKit's API.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case conn := <-g.calls:
		return conn, nil
	case <-g.ended:
		return nil, net.ErrClosed
	}
}

// Close lets Accept return.
func (g *gate) Close() error { g.end(); return nil }

// Addr is the socket's.
func (g *gate) Addr() net.Addr {
	return &net.UnixAddr{Net: "unix", Name: filepath.Join(g.root, socketFile)}
}

// refuse says why BuildKit does not run to those who wait for it.
func refuse(lis *net.UnixListener, word string, reason error) {
	_ = lis.SetDeadline(time.Now().Add(10 * time.Millisecond))
	for {
		conn, err := lis.AcceptUnix()
		if err != nil {
			return
		}
		_ = sayLine(conn, word, strings.TrimPrefix(reason.Error(), errDamaged.Error()+": "))
		_ = conn.Close()
	}
}
