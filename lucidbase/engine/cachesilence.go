package engine

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/patient"
)

// A cache's registry may fall silent. The BuildKit in this program asks again and goes on
// without; others wait for the next byte as long as the build is let.

// ErrSilentCache says that a registry does not send the list of what a cache has. There is
// no going on without it: BuildKit's scheduler waits for that list, whatever is cancelled,
// and with it every build of that BuildKit (solver/llbsolver's lazyCacheManager in v0.34).
var ErrSilentCache = errors.New("the cache's registry sends nothing, and this BuildKit waits for it")

// errSilentLayer says the same of a layer. The step can be run instead.
var errSilentLayer = errors.New("the cache's registry sends nothing more of a layer")

// errSilentWrite says that a registry does not take what is written to a cache.
var errSilentWrite = &StepError{Step: writingCache + "registry", Reason: "the registry gives no answer"}

// silentCache reports whether an error is one of a silence.
func silentCache(err error) bool {
	return errors.Is(err, ErrSilentCache) || errors.Is(err, errSilentLayer) || errors.Is(err, errSilentWrite)
}

// silence ends a solve when nothing is heard any more of what its node takes from a
// cache's registry, or writes there.
type silence struct {
	patience time.Duration // the registry's
	// ours are the layers that come from this program.
	ours map[string]bool
	end  context.CancelCauseFunc

	mu      sync.Mutex
	taken   map[taking]*progress   // what is under way
	writing map[digest.Digest]bool // the steps that write caches
}

// taking is a layer that a step takes, the list of what the cache has, or a part of a
// cache that is written.
type taking struct {
	step digest.Digest
	id   string
}

type progress struct {
	bytes int64
	limit time.Duration
	timer *time.Timer
}

// watchCaches returns nil where there is no cache, or the node has patience of its own.
func (e *Engine) watchCaches(g graph, n *node, opt client.SolveOpt, end context.CancelCauseFunc) *silence {
	if len(opt.CacheImports)+len(opt.CacheExports) == 0 || n.embedded {
		return nil
	}
	s := &silence{
		patience: cmp.Or(e.options.registryTimeout, patient.DefaultTimeout), ours: map[string]bool{}, end: end,
		taken: map[taking]*progress{}, writing: map[digest.Digest]bool{},
	}
	for _, in := range g.inputs {
		s.ours[in.Layer.Digest] = true
	}
	return s
}

// note hears what BuildKit says of a solve's steps.
func (s *silence) note(status *client.SolveStatus) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range status.Vertexes {
		switch {
		case v.Completed != nil:
			s.ended(v.Digest)
		case v.Started != nil && strings.HasPrefix(v.Name, importing):
			// Where nobody answers, BuildKit dials four times, for half a minute each.
			s.moved(taking{step: v.Digest}, 0, 6*s.patience, ErrSilentCache)
		case v.Started != nil && strings.HasPrefix(v.Name, writingCache+"registry"):
			s.writing[v.Digest] = true
		}
	}
	for _, l := range status.Statuses {
		what := taking{l.Vertex, l.ID}
		switch {
		case s.writing[l.Vertex] && strings.HasPrefix(l.ID, "writing ") && l.Completed == nil:
			// BuildKit says when a layer is there, and nothing before.
			s.moved(what, 0, 20*s.patience, errSilentWrite)
		case s.taken[what] == nil && (!strings.HasPrefix(l.ID, "sha256:") || s.ours[l.ID]):
		case l.Completed == nil && l.Current < l.Total:
			s.moved(what, l.Current, 2*s.patience, errSilentLayer)
		case s.taken[what] != nil:
			s.drop(what)
			s.wait()
		}
	}
}

// moved notes how far something is.
func (s *silence) moved(what taking, bytes int64, limit time.Duration, err error) {
	p := s.taken[what]
	switch {
	case p == nil:
		s.taken[what] = &progress{bytes, limit, time.AfterFunc(limit, func() { s.end(err) })}
	case p.bytes == bytes:
		return
	default:
		p.bytes = bytes
	}
	s.wait()
}

// wait gives everything all the time that there is, as a layer may wait for others.
func (s *silence) wait() {
	for _, p := range s.taken {
		p.timer.Reset(p.limit)
	}
}

func (s *silence) ended(step digest.Digest) {
	for what := range s.taken {
		if what.step == step {
			s.drop(what)
		}
	}
}

func (s *silence) drop(what taking) {
	if p := s.taken[what]; p != nil {
		p.timer.Stop()
		delete(s.taken, what)
	}
}

// stop is for the end of the solve.
func (s *silence) stop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for what := range s.taken {
		s.drop(what)
	}
}
