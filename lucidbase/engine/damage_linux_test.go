package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// damages are what disks, power cuts and people do to a file.
var damages = map[string]func(path string, r *rand.Rand) error{
	"flipped": func(path string, r *rand.Rand) error {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			return err
		}
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		return os.WriteFile(path, data, 0o600)
	},
	"cut": func(path string, r *rand.Rand) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, r.Int64N(info.Size()+1))
	},
	"emptied": func(path string, _ *rand.Rand) error { return os.Truncate(path, 0) },
	"deleted": func(path string, _ *rand.Rand) error { return os.Remove(path) },
	"replaced": func(path string, _ *rand.Rand) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.MkdirAll(filepath.Join(path, "directory"), 0o755)
	},
}

// tiny is an image of two layers, and more, which needs no network and no runc.
// More stand on what the two left in BuildKit's state.
func tiny(more ...string) lucidbase.Spec {
	return lucidbase.SpecFunc(func(lucidbase.Platforms) (lucidbase.Graph, error) {
		created := lucidbase.Epoch()
		at := llb.WithCreatedTime(created)
		g := lucidbase.Graph{State: llb.Scratch().File(llb.Mkfile("/one", 0o644, []byte("one\n"), at))}
		g.State = g.State.File(llb.Mkfile("/two", 0o644, bytes.Repeat([]byte("two\n"), 1000), at))
		for _, name := range more {
			g.State = g.State.File(llb.Copy(g.State, "/two", "/"+name, at))
		}
		for range 2 + len(more) {
			g.Config.History = append(g.Config.History, ocispecs.History{Created: &created, CreatedBy: "test"})
		}
		g.Config.Platform = lucidbase.LinuxAMD64
		g.Config.Created, g.Config.Config.User, g.Config.Config.WorkingDir = &created, "65532:65532", "/"
		for rule, path := range map[string]string{"command": "config:Cmd", "base": "config:Labels"} {
			g.Contract.Waivers = append(g.Contract.Waivers, verify.Waiver{Rule: rule, Path: path, Reason: "nobody runs it"})
		}
		slices.SortFunc(g.Contract.Waivers, func(a, b verify.Waiver) int { return strings.Compare(a.Rule, b.Rule) })
		return g, nil
	})
}

// cache is a directory with a cache and a layout in it.
type cache string

// build returns the image's digest and what was said.
func (c cache) build(ctx context.Context, more ...string) (digest, said string, err error) {
	var log bytes.Buffer
	eng, err := engine.Open(ctx, "", engine.WithCacheDir(filepath.Join(string(c), "cache")), engine.WithProgress(&log), engine.WithProgressMode("quiet"))
	if err != nil {
		return "", log.String(), err
	}
	res, err := eng.Build(ctx, engine.Job{
		Spec:      tiny(more...),
		Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64},
		To:        engine.Layout(filepath.Join(string(c), "dist"+strings.Join(more, "")), "tiny"),
	})
	if err = errors.Join(err, eng.Close()); err != nil {
		return "", log.String(), err
	}
	return res.Digest, log.String(), nil
}

// wrong lists the layout's blobs that are not what their names say.
func (c cache) wrong(t *testing.T) (names []string) {
	t.Helper()
	blobs := os.DirFS(filepath.Join(string(c), "dist", "blobs", "sha256"))
	entries, err := fs.ReadDir(blobs, ".")
	require.NoError(t, err)
	require.Len(t, entries, 5, "two layers, config, manifest, index")
	for _, e := range entries {
		data, err := fs.ReadFile(blobs, e.Name())
		if sum := sha256.Sum256(data); err != nil || hex.EncodeToString(sum[:]) != e.Name() {
			names = append(names, e.Name())
		}
	}
	return names
}

func (c cache) copy(t *testing.T) cache {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	out, err := exec.Command("cp", "-a", string(c), dir).CombinedOutput()
	require.NoError(t, err, string(out))
	return cache(dir)
}

// files lists every file, relative.
func (c cache) files(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(string(c), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			path, err = filepath.Rel(string(c), path)
			names = append(names, path)
		}
		return err
	}))
	return names
}

// requireEngine skips a test that starts BuildKit where only fast ones are wanted.
func requireEngine(t *testing.T) {
	t.Helper()
	if testing.Short() && os.Getenv("LUCID_REQUIRE_ENGINE") != "1" {
		t.Skip("BuildKit is not started under -short")
	}
	if os.Geteuid() != 0 {
		require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "the embedded engine is tested as root")
		t.Skip("the embedded engine is tested as root")
	}
}

// Whatever happens to whatever file of the cache or of a layout: the next build
// succeeds, has the same digest and no wrong byte, and so does one that stands
// on it, which says what happened to BuildKit's databases.
func TestAnyDamageIsRepaired(t *testing.T) {
	requireEngine(t)
	warm := cache(t.TempDir())
	want, _, err := warm.build(t.Context())
	require.NoError(t, err)
	wantNext, _, err := warm.copy(t).build(t.Context(), "next")
	require.NoError(t, err)
	kinds := slices.Sorted(maps.Keys(damages))
	for i, name := range warm.files(t) {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		some := kinds
		if os.Getenv("LUCID_EVERY_DAMAGE") == "" { // minutes
			some = []string{kinds[i%len(kinds)], kinds[(i+1+r.IntN(len(kinds)-1))%len(kinds)]}
		}
		for _, kind := range some {
			t.Run(kind+" "+filepath.Base(name), func(t *testing.T) {
				t.Log(name)
				c := warm.copy(t)
				require.NoError(t, damages[kind](filepath.Join(string(c), name), r))
				got, said, err := c.build(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Empty(t, c.wrong(t))
				if !strings.HasPrefix(name, "cache/buildkit/") || strings.Contains(name, "/fs/") {
					return // an unpacked file has no digest that anybody could compare
				}
				require.NotContains(t, said, "is made again: ", "an unchanged build needs no BuildKit")
				got, said, err = c.build(t.Context(), "next")
				require.NoError(t, err)
				require.Equal(t, wantNext, got)
				if strings.HasSuffix(name, ".db") {
					require.Contains(t, said, "is made again: ")
				}
			})
		}
	}
}

// After a kill there is no checksum of a database: BuildKit notices, crashes, or
// never looks.
func TestDamageAfterAKillIsRepaired(t *testing.T) {
	requireEngine(t)
	warm := cache(t.TempDir())
	want, _, err := warm.build(t.Context())
	require.NoError(t, err)
	wantNext, _, err := warm.copy(t).build(t.Context(), "next")
	require.NoError(t, err)
	for _, name := range warm.files(t) {
		if !strings.HasSuffix(name, ".db") {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			c := warm.copy(t)
			require.NoError(t, os.Remove(filepath.Join(string(c), "cache/buildkit/uid-0/sums")))
			path := filepath.Join(string(c), name)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, info.Size()/2/4096*4096))
			got, said, err := c.build(t.Context())
			t.Log(said)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Empty(t, c.wrong(t))
			got, said, err = c.build(t.Context(), "next")
			t.Log(said)
			require.NoError(t, err)
			require.Equal(t, wantNext, got)
		})
	}
}
