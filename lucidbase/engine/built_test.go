package engine

import (
	"os"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/localdir"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The rules are known by the program that has them.
func TestRules(t *testing.T) {
	if runtime.GOOS != "linux" {
		require.Empty(t, rules())
		return
	}
	require.Regexp(t, `^[A-Za-z0-9_-]{20}/.+`, rules())
}

func definition(t *testing.T, state llb.State) *pb.Definition {
	t.Helper()
	def, err := state.Marshal(t.Context(), llb.LinuxAmd64)
	require.NoError(t, err)
	return def.ToPB()
}

// An image is found by all that it follows from, and by nothing less.
func TestBuiltKey(t *testing.T) {
	same := func() (built, Job, []graph) {
		return built{dir: t.TempDir(), rules: "abc"}, Job{Compression: Gzip}, []graph{{
			platform:   lucidbase.LinuxAMD64,
			definition: definition(t, llb.Scratch().File(llb.Mkfile("/x", 0o644, []byte("x")))),
			config:     []byte("{}"),
			contract:   verify.Contract{Packages: map[string]string{"libc6": "2.36"}},
		}}
	}
	b, job, graphs := same()
	want := b.key(job, graphs)
	require.NotEmpty(t, want)
	b, job, graphs = same()
	require.Equal(t, want, b.key(job, graphs))
	for name, change := range map[string]func(b *built, job *Job, g *graph){
		"rules":       func(b *built, _ *Job, _ *graph) { b.rules = "def" },
		"compression": func(_ *built, job *Job, _ *graph) { job.Compression = Zstd },
		"platform":    func(_ *built, _ *Job, g *graph) { g.platform = lucidbase.LinuxARM64 },
		"files": func(_ *built, _ *Job, g *graph) {
			g.definition = definition(t, llb.Scratch().File(llb.Mkfile("/x", 0o644, []byte("y"))))
		},
		"config": func(_ *built, _ *Job, g *graph) { g.config = []byte(`{"os":"linux"}`) },
		"waiver": func(_ *built, _ *Job, g *graph) {
			g.contract.Waivers = []verify.Waiver{{Rule: "link", Path: "/x", Reason: "y"}}
		},
		"directory": func(_ *built, _ *Job, g *graph) {
			tree, err := localdir.Read(t.Context(), lucidbase.Local{FS: fstest.MapFS{"x": {Data: []byte("x")}}})
			require.NoError(t, err)
			g.locals = locals{"src": tree}
		},
		"unknown rules": func(b *built, _ *Job, _ *graph) { b.rules = "" },
		"loose source":  func(_ *built, _ *Job, g *graph) { g.definition = definition(t, llb.Image("debian:12")) },
	} {
		t.Run(name, func(t *testing.T) {
			b, job, graphs := same()
			change(&b, &job, &graphs[0])
			require.NotEqual(t, want, b.key(job, graphs))
		})
	}
}

// What may be something else tomorrow is asked for every time.
func TestPinned(t *testing.T) {
	sum := digest.FromString("x")
	for name, c := range map[string]struct {
		state  llb.State
		pinned bool
	}{
		"nothing":           {llb.Scratch().File(llb.Mkdir("/x", 0o755)), true},
		"image by digest":   {llb.Image("debian:12@" + sum.String()), true},
		"image by tag":      {llb.Image("debian:12"), false},
		"layout":            {llb.OCILayout("a.invalid/b@"+sum.String(), llb.OCIStore("", "s")), true},
		"file by checksum":  {llb.HTTP("https://a.invalid/b", llb.Checksum(sum)), true},
		"file":              {llb.HTTP("https://a.invalid/b"), false},
		"repository":        {llb.Git("https://a.invalid/b.git", "main"), false},
		"directory":         {llb.Local("unread"), false},
		"directory, read":   {llb.Local("read"), true},
		"step without care": {llb.Scratch().File(llb.Mkdir("/x", 0o755), llb.IgnoreCache), false},
		"one of several": {llb.Merge([]llb.State{
			llb.Image("debian:12@" + sum.String()),
			llb.Image("debian:11").File(llb.Rm("/etc")),
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.pinned, pinned(graph{definition: definition(t, c.state), locals: locals{"read": {}}}))
		})
	}
}

func TestBuiltRemembers(t *testing.T) {
	b := built{dir: t.TempDir() + "/built", rules: "abc"}
	want := digest.FromString("image")
	require.Empty(t, b.find("key"))
	b.add("key", want)
	require.Equal(t, want, b.find("key"))
	require.NoError(t, os.WriteFile(b.file("key"), []byte("sha256:0123"), 0o600))
	require.Empty(t, b.find("key"))
	b.add("", want)
	require.Empty(t, b.find(""))
}
