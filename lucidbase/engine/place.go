package engine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/lucid-project/base-images/lucidbase"
)

// maxSolves is how many graphs a node that is not this program's solves at once: each
// costs memory here too.
const maxSolves = 16

// openNodes connects to all nodes at once. What does not answer is left out, if others do.
func (e *Engine) openNodes(ctx context.Context, chosen choice) ([]*node, error) {
	var wg sync.WaitGroup
	found := make([][]*node, len(chosen.addresses))
	errs := make([]error, len(chosen.addresses))
	for i, address := range chosen.addresses {
		wg.Go(func() { found[i], errs[i] = e.openAddress(ctx, address) })
	}
	wg.Wait()
	nodes := slices.Concat(found...)
	err := errors.Join(errs...)
	if err != nil && (len(nodes) == 0 || ctx.Err() != nil) {
		for _, n := range nodes {
			err = errors.Join(err, n.close())
		}
		return nil, err
	}
	if err != nil {
		e.note("building without: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nodes, nil
}

// openAddress connects to the nodes of an address. Those that do not answer are in the
// error.
func (e *Engine) openAddress(ctx context.Context, address string) ([]*node, error) {
	if address == embeddedAddress {
		n, err := e.embeddedNode()
		if err != nil {
			return nil, err
		}
		return []*node{n}, nil
	}
	all, err := endpoints(ctx, address)
	if err != nil {
		return nil, err
	}
	nodes, errs := make([]*node, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	for i, at := range all {
		wg.Go(func() { nodes[i], errs[i] = dialNode(ctx, at) })
	}
	wg.Wait()
	return slices.DeleteFunc(nodes, func(n *node) bool { return n == nil }), errors.Join(errs...)
}

// line says which nodes build, and why these.
func (c choice) line(nodes []*node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.name+" on "+lucidbase.FormatPlatform(n.platform))
	}
	return "building with " + strings.Join(names, ", ") + ": " + c.why
}

// nodeFor returns a node that builds for a platform: one that runs it natively if there
// is one. What a node builds depends on its own platform alone.
func (e *Engine) nodeFor(target ocispecs.Platform) *node {
	e.placing.Lock()
	defer e.placing.Unlock()
	left := e.left()
	for _, n := range left {
		if samePlatform(n.platform, target) {
			return n
		}
	}
	return left[0]
}

func samePlatform(a, b ocispecs.Platform) bool {
	return lucidbase.FormatPlatform(a) == lucidbase.FormatPlatform(b)
}

// left are the nodes that are not lost, or all if none is left: they may be back.
func (e *Engine) left() []*node {
	left := slices.DeleteFunc(slices.Clone(e.nodes), func(n *node) bool { return n.lost != nil })
	if len(left) == 0 {
		return e.nodes
	}
	return left
}

// beginOnNodes says which nodes build, and tries the lost ones again: they may be back.
func (e *Engine) beginOnNodes() {
	if e.announce != nil && e.options.progressMode != string(progressui.QuietMode) && e.options.progressMode != string(progressui.RawJSONMode) {
		e.announce()
	}
	e.placing.Lock()
	defer e.placing.Unlock()
	for _, n := range e.nodes {
		n.lost = nil
	}
}

// place assigns the graphs of jobs to nodes, as evenly as the platforms allow. The same
// image goes to the same node each time, which has its steps in its cache, unless that
// node has its share.
func (e *Engine) place(made []int, jobs []Job, graphs [][]graph) [][]*node {
	e.placing.Lock()
	defer e.placing.Unlock()
	left := e.left()
	placed := make([][]*node, len(jobs))
	todo := map[string]int{} // by the platform of the nodes
	for _, i := range made {
		for _, g := range graphs[i] {
			todo[lucidbase.FormatPlatform(g.build)]++
		}
	}
	for _, i := range made {
		placed[i] = make([]*node, len(graphs[i]))
		for j, g := range graphs[i] {
			able := slices.DeleteFunc(slices.Clone(left), func(n *node) bool { return !samePlatform(n.platform, g.build) })
			if len(able) == 0 {
				able = left
			}
			share := todo[lucidbase.FormatPlatform(g.build)]
			for _, n := range able {
				share += n.assigned
			}
			key := repository(jobs[i].To.Name) + " " + lucidbase.FormatPlatform(g.platform)
			n := choosePlace(able, key, (share+len(able)-1)/len(able))
			n.assigned++
			todo[lucidbase.FormatPlatform(g.build)]--
			placed[i][j] = n
		}
	}
	return placed
}

// choosePlace returns the node that a hash prefers, of those with less than their share.
func choosePlace(nodes []*node, key string, share int) *node {
	score := func(n *node) uint64 {
		h := fnv.New64a()
		_, _ = fmt.Fprint(h, n.name, "\x00", key) // a hash takes everything
		return h.Sum64()
	}
	var best *node
	for _, n := range nodes {
		if n.assigned < share && (best == nil || score(n) > score(best)) {
			best = n
		}
	}
	return best
}

// lostError says that a node does not answer any more, or was started anew.
type lostError struct {
	node *node
	back bool // it answers again
	err  error
}

func (l *lostError) Error() string {
	if l.back {
		return fmt.Sprintf("%s broke off: %v", l.node.name, l.err)
	}
	return fmt.Sprintf("%s was lost in the middle of the build: %v", l.node.name, l.err)
}

func (l *lostError) Unwrap() error { return l.err }

// forget takes what failed with the node out of the account.
func (l *lostError) forget(failed error) error {
	var solving solveError
	if errors.As(failed, &solving) {
		solving.forget()
	}
	return l
}

// onNode has a node do something, and another node when that one is lost.
func (e *Engine) onNode(ctx context.Context, n *node, do func(context.Context, *node, *connection) error) error {
	for again := 0; ; {
		err := n.do(ctx, do)
		var lost *lostError
		if !errors.As(err, &lost) || ctx.Err() != nil {
			e.moved(n, nil)
			return err
		}
		next := n
		if again++; !lost.back || again > maxRestarts {
			next = e.another(n, lost)
		}
		e.moved(n, next)
		if next == nil {
			return err
		}
		e.note(fmt.Sprintf("building on with %s: %v", next.name, lost))
		n = next
	}
}

// moved counts what a node has to do.
func (e *Engine) moved(from, to *node) {
	e.placing.Lock()
	defer e.placing.Unlock()
	from.assigned--
	if to != nil {
		to.assigned++
	}
}

// another returns the node with the least to do, of those that are not lost.
func (e *Engine) another(n *node, why error) *node {
	e.placing.Lock()
	defer e.placing.Unlock()
	n.lost = why
	var best *node
	for _, other := range e.nodes {
		if other.lost != nil {
			continue
		}
		better := best == nil || samePlatform(other.platform, n.platform) && !samePlatform(best.platform, n.platform)
		if better || samePlatform(other.platform, best.platform) && other.assigned < best.assigned {
			best = other
		}
	}
	return best
}

// do waits until the node has time, connects to it and watches over it. The error is a
// lostError when the node is to blame.
func (n *node) do(ctx context.Context, do func(context.Context, *node, *connection) error) error {
	if n.slots != nil {
		select {
		case n.slots <- struct{}{}:
			defer func() { <-n.slots }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	conn, err := n.connected(ctx)
	if err != nil || conn.backend != nil {
		if err != nil {
			return err
		}
		return do(ctx, n, conn)
	}
	watched, end := context.WithCancelCause(ctx)
	defer end(nil)
	go n.watch(watched, conn, end)
	err = do(watched, n, conn)
	var lost *lostError
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(context.Cause(watched), &lost):
		return lost.forget(err)
	}
	if _, silent := listWorkers(ctx, conn.client, answerTime); silent != nil && ctx.Err() == nil {
		return (&lostError{node: n, err: silent}).forget(err)
	}
	if grpcerrors.Code(err) == codes.Unavailable {
		return (&lostError{node: n, back: true, err: errors.New(dialCause(err.Error()))}).forget(err)
	}
	return err
}

// A node that still builds is asked now and then whether it is there: a machine that has
// lost its power, or its network, does not say so. A busy one may take its time.
var (
	watchPause = 20 * time.Second
	watchTime  = 60 * time.Second
)

// watch ends what a node does when it does not answer any more.
func (n *node) watch(ctx context.Context, conn *connection, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchPause):
		}
		if _, err := listWorkers(ctx, conn.client, watchTime); err != nil && ctx.Err() == nil {
			end(&lostError{node: n, err: err})
			return
		}
	}
}
