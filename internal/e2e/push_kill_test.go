//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// killPoints is how many times a push is killed.
const killPoints = 50

// uploading is about how long it takes from the first upload to the tag.
const uploading = 60 * time.Millisecond

func uploads(q testregistry.Request) bool { return q.Method == http.MethodPost }

// However a build that pushes ends, the tag is the image that it was or the new one, and
// whole; the next run needs no help.
func TestLongPushIsKilled(t *testing.T) {
	s := needEngine(t)
	dir, cache, r := t.TempDir(), s.lockCache(), testregistry.New(t)
	write := func(path, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	write("lucidbase.yaml", "services:\n  web:\n    base: bare-base\n    source: [{from: src, to: /app/src}]\n    command: [python, -m, src.main]\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "src"), 0o700))
	push := command{
		dir:  dir,
		args: []string{"build", "-f", "lucidbase.yaml", "--cache-dir", cache, "--push", "--registry", r.Host + "/lucid", "--progress", "plain"},
		env:  []string{"DOCKER_CONFIG=" + t.TempDir()},
	}
	tag, err := name.ParseReference(r.Ref("lucid/web:latest"))
	require.NoError(t, err)
	tagged := func() string {
		index, err := remote.Index(tag)
		require.NoError(t, err)
		require.NoError(t, validate.Index(index, validate.Fast), "with all that it names")
		digest, err := index.Digest()
		require.NoError(t, err)
		return digest.String()
	}
	whole := func() string {
		res := s.run(t, push)
		require.Zero(t, res.code, res.stderr)
		return tagged()
	}
	write("src/main.py", "print('first')\n")
	before := whole()
	start := time.Now()
	write("src/main.py", "print('second')\n")
	require.NotEqual(t, before, whole())
	took := time.Since(start)

	const seed = 12
	random, ended := rand.New(rand.NewPCG(seed, 1)), map[string]int{}
	for i := range killPoints {
		before = tagged()
		write("src/main.py", fmt.Sprintf("print('point %d')\n", i))
		after := time.Duration(random.Int64N(int64(took)))
		r.Reset()
		victim := s.cmd(t, push)
		require.NoError(t, victim.Start())
		if i%2 > 0 { // the others are killed while they build, most of them
			after = time.Duration(random.Int64N(int64(uploading)))
			require.Eventually(t, func() bool { return slices.ContainsFunc(r.Requests(), uploads) }, time.Minute, time.Millisecond)
		}
		time.Sleep(after)
		_ = victim.Process.Kill() // or it has ended
		_ = victim.Wait()
		is, start := tagged(), time.Now()
		want := whole()
		took = time.Since(start) // so, about, the next one will
		require.Contains(t, []string{before, want}, is, "seed %d, point %d: killed after %s", seed, i, after)
		ended[map[bool]string{true: "the old", false: "the new"}[is == before]]++
	}
	t.Logf("seed %d, %d points: the tag was then %v", seed, killPoints, ended)
	require.Len(t, ended, 2)
}
