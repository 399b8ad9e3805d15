package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"
)

// member is a connection to BuildKit's process, which runs as long as it has one.
type member struct {
	root  string
	conn  *net.UnixConn
	lines *bufio.Reader
	gone  chan struct{} // closed when the process is, or takes no more builds
	left  string        // why it takes none, before gone is closed
	// ended is closed when whoever started the process has waited for it; others
	// have nil.
	ended <-chan struct{}
	once  sync.Once
}

var (
	errVersion = errors.New("it is of another version")
	errKilled  = errors.New("BuildKit's process was killed, by somebody or for want of memory")
)

// join becomes a member of the BuildKit that runs in root.
func join(ctx context.Context, root string) (*member, error) {
	conn, err := dial(root)
	if err != nil {
		return nil, err
	}
	m := newMember(root, conn)
	if err := m.greet(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return m, nil
}

func newMember(root string, conn *net.UnixConn) *member {
	return &member{root: root, conn: conn, lines: lines(conn), gone: make(chan struct{})}
}

// greet waits until BuildKit runs.
func (m *member) greet(ctx context.Context) error {
	return greet(ctx, m.conn, m.lines, forMembership)
}

func greet(ctx context.Context, conn net.Conn, r *bufio.Reader, purpose byte) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	line, err := readLine(r)
	if !stop() {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	switch word, text, _ := strings.Cut(line, " "); {
	case line == version:
		_, err = conn.Write([]byte{purpose})
		return err
	case word == childName:
		return fmt.Errorf("%w: %s", errVersion, text)
	case word == msgBroken:
		return fmt.Errorf("%w: %s", errDamaged, text)
	default:
		return errors.New(text)
	}
}

// Dial connects to BuildKit's API.
func (m *member) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := dial(m.root)
	if err != nil {
		return nil, fmt.Errorf("reaching BuildKit's process: %w", err)
	}
	if err := greet(ctx, conn, lines(conn), forCalls); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching BuildKit's process: %w", err), conn.Close())
	}
	return conn, nil
}

// listen passes on warnings until the process is gone, or wants no more calls.
func (m *member) listen(warn func(string)) {
	defer close(m.gone)
	for {
		line, err := readLine(m.lines)
		if err != nil {
			return
		}
		switch word, text, _ := strings.Cut(line, " "); word {
		case msgWarn:
			warn(text)
		case msgLeave:
			m.left = text
			return
		}
	}
}

// cutOff is how a call fails whose server goes away.
var cutOff = regexp.MustCompile(`Unavailable|EOF|transport|connection|[Cc]anceled|reaching BuildKit`)

// Broken returns why BuildKit, and not the build, is at fault. Damage is passed
// on: BuildKit's process then ends when no build runs in it any more.
func (m *member) Broken(failed error) error {
	patience := 100 * time.Millisecond
	if cutOff.MatchString(failed.Error()) {
		patience = 2 * time.Second
	}
	if damagedBy(m.root, failed.Error()) {
		_ = sayLine(m.conn, msgDamaged, failed.Error()) // or it is gone, and somebody did
		return fmt.Errorf("%w: %w", errDamaged, failed)
	}
	select {
	case <-m.gone:
		if m.left != "" {
			return errors.New(m.left)
		}
		if crash := crashOf(m.root); crash != "" {
			return fmt.Errorf("BuildKit's process crashed: %s", crash)
		}
		return errKilled
	case <-time.After(patience):
		return nil
	}
}

// Close ends the membership. If it was the last, BuildKit's process ends, and
// Close returns when it has, which takes as long as killing a step does.
func (m *member) Close() error {
	m.once.Do(func() {
		_ = m.conn.CloseWrite()
		select {
		case <-m.gone:
		case <-time.After(stopTime + 2*time.Second):
		}
		if m.left == "" && m.ended != nil {
			<-m.ended
		}
		_ = m.conn.Close()
	})
	return nil
}
