package embedded

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// inProcess is BuildKit in this process, reached through memory.
type inProcess struct {
	server *server
	lis    *bufconn.Listener
	undo   []func()
	once   sync.Once
}

// startHere starts BuildKit in this process, which must be root.
func startHere(ctx context.Context, root string, warn func(string)) (engine.Backend, error) {
	if !hasCapability(unix.CAP_SYS_ADMIN) {
		return nil, errors.New("root has no CAP_SYS_ADMIN here: run the container as a privileged one, or " + otherWay)
	}
	b := &inProcess{lis: bufconn.Listen(1 << 20)}
	b.undo = []func(){warnings.add(warn), clearUmask()}
	var err error
	if b.server, err = serve(ctx, root, b.lis, false); err != nil {
		b.restore()
		return nil, err
	}
	return b, nil
}

// Dial connects to BuildKit.
func (b *inProcess) Dial(ctx context.Context) (net.Conn, error) { return b.lis.DialContext(ctx) }

// Close stops BuildKit and gives back what it had of the process.
func (b *inProcess) Close() (err error) {
	b.once.Do(func() {
		err = b.server.close()
		b.restore()
	})
	return err
}

func (b *inProcess) restore() {
	for _, f := range b.undo {
		f()
	}
}

// hasCapability reports whether the process may use a capability; if that cannot
// be told, yes.
func hasCapability(bit int) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(status), "\nCapEff:")
	line, _, _ := strings.Cut(rest, "\n")
	caps, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	return err != nil || caps&(1<<bit) != 0
}
