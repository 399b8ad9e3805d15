package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

func TestLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want string
	}{
		"nothing said": {"", ""},
		"no error":     {"one\ntwo\n\n", "two"},
		"uv":           {"Resolved\nerror: no\n  cause: down", "error: no; cause: down"},
		"pip": {
			"WARNING: Retrying: '<HTTPConnection at 0x1>: refused: [Errno 111] Connection refused')': /simple/\nERROR: none found\n",
			"ERROR: none found ([Errno 111] Connection refused)",
		},
		"Python": {
			"ERROR: Exception:\nTraceback (most recent call last):\n  File \"a.py\"\nOSError: [Errno 28] No space left on device\n",
			"OSError: [Errno 28] No space left on device",
		},
	} {
		require.Equal(t, c.want, lastWords(c.log), name)
	}
}

func TestCause(t *testing.T) {
	for text, want := range map[string]string{
		"failed to solve: failed to copy: write /x: no space left on device": "write /x: no space left on device",
		"failed to do it": "failed to do it",
		"runc: failed":    "runc: failed",
		"error writing layer blob: failed to do request: Head \"https://r.example/v2/\": EOF":      `Head "https://r.example/v2/": EOF`,
		"failed to send write: rpc error: code = Unknown desc = write /x: no space left on device": "write /x: no space left on device",
	} {
		require.Equal(t, want, cause(text))
	}
}

// Of all that fails with a step, the step that failed first is reported, once, in
// one line.
func TestFirstFailureIsTold(t *testing.T) {
	at := func(seconds int64) *time.Time { done := time.Unix(seconds, 0); return &done }
	step := func(name string, done int64, err string) *client.Vertex {
		return &client.Vertex{Digest: digest.FromString(name), Name: name, Completed: at(done), Error: err}
	}
	failed := `process "python packages" did not complete successfully: exit code: 2`
	status := &client.SolveStatus{
		Vertexes: []*client.Vertex{
			step("later", 3, "no active sessions"),
			step("stage", 2, failed),
			step("cancelled", 1, "process: context canceled"),
			{Name: "running"},
		},
		Logs: []*client.VertexLog{
			{Vertex: digest.FromString("stage"), Data: []byte("working\nerror: no\n  cau")},
			{Vertex: digest.FromString("stage"), Data: []byte("se: down\n")},
			{Vertex: digest.FromString("later"), Data: []byte("error: later\n")},
		},
	}
	var f failures
	require.Nil(t, f.err())
	f.note(1, status)
	f.note(2, status) // the other image shares the step
	require.EqualError(t, f.err(), "building stage: error: no; cause: down")
	f = failures{}
	f.note(1, &client.SolveStatus{Vertexes: []*client.Vertex{step("stage", 1, `process "python" did not complete successfully: runc not found`)}})
	require.EqualError(t, f.err(), "building stage: runc not found")
}

func TestExplain(t *testing.T) {
	e := &Engine{store: &store{}}
	ours := errors.New("compressing")
	require.Equal(t, ours, e.explain(t.Context(), &display{}, ours), "not BuildKit's")
	bare := solveError{node: &node{name: "BuildKit at tcp://b:1"}, error: errors.New("failed to solve: a\nb")}
	require.EqualError(t, e.explain(t.Context(), &display{}, bare), "a b")
	e.store.cause = errors.New("making rootfs")
	require.Equal(t, e.store.cause, e.explain(t.Context(), &display{}, bare))
}

// Whose disk is full is said where it is another machine's.
func TestFullDisk(t *testing.T) {
	e := &Engine{store: &store{}, cacheTo: []cacheEntry{{kind: "local", attrs: map[string]string{"dest": "/c"}}}}
	const full = "write /x: no space left on device"
	elsewhere, here := &node{name: "BuildKit at tcp://b:1"}, &node{embedded: true}
	explain := func(n *node, step string) error {
		d := &display{}
		now := time.Now()
		d.failures.note(0, &client.SolveStatus{Vertexes: []*client.Vertex{{Name: step, Error: full, Completed: &now}}})
		return e.explain(t.Context(), d, solveError{node: n, error: errors.New(full)})
	}
	require.EqualError(t, explain(elsewhere, "install"), "building install: BuildKit at tcp://b:1: "+full)
	require.EqualError(t, explain(here, "install"), "building install: "+full)
	require.EqualError(t, explain(elsewhere, writingCache+"client directory"), "writing the cache /c: "+full)
	require.EqualError(t, e.explain(t.Context(), &display{}, solveError{node: elsewhere, error: errors.New(full)}), "BuildKit at tcp://b:1: "+full)
}

func TestDialCause(t *testing.T) {
	for text, want := range map[string]string{
		`failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing: dial unix /s: connect: refused"`:                                                              "dial unix /s: connect: refused",
		`failed to list workers: Unavailable: connection error: desc = "error reading server preface: command [ssh] has exited: stderr=a\r\nb\n"`:                                                     "a",
		`failed to list workers: Unavailable: connection error: desc = "error reading server preface: stderr=E1127 14:10:30.3 138 memcache.go:265] \"no\"\nThe connection to \"kube\" was refused\n"`: `The connection to "kube" was refused`,
		`failed to list workers: Unavailable: connection error: desc = "error reading server preface: http2: frame too large, note that the frame header looked like an HTTP/1.1 header"`:             "it answers in HTTP/1.1, as Docker does, whose BuildKit is --engine docker with DOCKER_HOST",
		"something else": "something else",
	} {
		require.Equal(t, want, dialCause(text))
	}
}
