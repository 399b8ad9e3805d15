package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/internal/secrettest"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The suite that each engine passes.

// A test that runs as another user is told the digest that root made, and where the
// program of the steps is.
const (
	wantVariable = "LUCID_TEST_DIGEST"
	stepVariable = "LUCID_TEST_STEP"
)

// stepDir has the program of the suite's steps.
var stepDir = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv(stepVariable); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "step-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "step"), "./testdata/step")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// secretVariable is one that a step may ask for.
const secretVariable = "UV_INDEX_URL"

// ran is an image of a layer for each run of the step program, and one that says which
// platform it is for.
func ran(t testing.TB, steps ...[2]string) lucidbase.Spec {
	t.Helper()
	dir, err := stepDir()
	require.NoError(t, err)
	return lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		g := lucidbase.Graph{Locals: map[string]lucidbase.Local{"step": {Dir: dir}}}
		created := lucidbase.Epoch()
		program := llb.Scratch().Platform(p.Build).File(llb.Copy(llb.Local("step", llb.Platform(p.Build)), "/step", "/step", llb.WithCreatedTime(created)))
		layers := []llb.State{llb.Scratch().File(llb.Mkfile("/platform", 0o644, []byte(lucidbase.FormatPlatform(p.Target)), llb.WithCreatedTime(created)))}
		for i, step := range steps {
			run := program.Run(llb.Args([]string{"/step", step[0], step[1]}), llb.Network(llb.NetModeNone), llb.Dir("/"),
				llb.WithCustomName(step[0]+" "+step[1]),
				llb.AddSecret(secretVariable, llb.SecretID(secretVariable), llb.SecretAsEnv(true), llb.SecretOptional))
			out := run.AddMount("/out", llb.Scratch().Platform(p.Build))
			layers = append(layers, llb.Scratch().File(llb.Copy(out, "/file", fmt.Sprint("/file", i), llb.WithCreatedTime(created))))
		}
		g.State = llb.Merge(layers)
		for range layers {
			g.Config.History = append(g.Config.History, ocispecs.History{Created: &created, CreatedBy: "test"})
		}
		g.Config.Platform, g.Config.Created = p.Target, &created
		g.Config.Config.User, g.Config.Config.WorkingDir = "65532:65532", "/"
		g.Contract.Waivers = []verify.Waiver{
			{Rule: "base", Path: "config:Labels", Reason: "nobody runs it"},
			{Rule: "command", Path: "config:Cmd", Reason: "nobody runs it"},
		}
		return g, nil
	})
}

// suite is an engine by address, where its nodes have their files, and what it says.
type suite struct {
	addresses string
	dirs      []string
	mode      string // of progress; empty is plain
	said      *buffer
}

// buffer is for several writers and readers.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// open opens the engine with a client's cache of its own, unless dir names one.
func (s *suite) open(t *testing.T, dir string) *engine.Engine {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	s.said = &buffer{}
	eng, err := engine.Open(t.Context(), s.addresses, engine.WithCacheDir(dir), engine.WithProgress(s.said), engine.WithProgressMode(cmp.Or(s.mode, "plain")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, eng.Close()) })
	return eng
}

func (s *suite) build(t *testing.T, eng *engine.Engine, spec lucidbase.Spec) string {
	t.Helper()
	res, err := eng.Build(t.Context(), engine.Job{Spec: spec, To: engine.Keep("lucid/conform")})
	require.NoError(t, err, s.said)
	return res.Digest
}

// conform runs the suite; want are the digests that another engine has made.
func (s *suite) conform(t *testing.T, want *string) {
	token := "secret-" + t.Name()
	t.Setenv(secretVariable, token)
	dir := t.TempDir()
	eng := s.open(t, dir)
	spec := ran(t, [2]string{"write", "first"}, [2]string{"write", "second"})
	t.Run("two platforms, one digest, progress", func(t *testing.T) {
		got := s.build(t, eng, spec)
		if *want == "" {
			*want = got
		}
		require.Equal(t, *want, got)
		for _, says := range []string{"building with ", "write first", "writing second"} {
			require.Contains(t, s.said.String(), says)
		}
	})
	t.Run("unchanged", func(t *testing.T) {
		fastest := time.Hour
		for range 3 {
			start := time.Now()
			again := s.open(t, dir)
			require.Equal(t, *want, s.build(t, again, spec))
			fastest = min(fastest, time.Since(start))
			require.NotContains(t, s.said.String(), "writing second")
		}
		t.Log(s.addresses, "unchanged:", fastest)
	})
	if s.addresses != "embedded" { // whose cache is the client's
		t.Run("cache", func(t *testing.T) {
			require.Equal(t, *want, s.build(t, s.open(t, ""), spec))
			require.Contains(t, s.said.String(), "CACHED")
			require.NotContains(t, s.said.String(), "writing second")
		})
	}
	t.Run("secrets", func(t *testing.T) {
		dir := t.TempDir()
		for _, mode := range []string{"plain", "rawjson"} {
			s := &suite{addresses: s.addresses, mode: mode}
			eng := s.open(t, dir)
			asks := [2]string{"secret", secretVariable}
			res, err := eng.Build(t.Context(), engine.Job{Spec: ran(t, asks, [2]string{"write", mode}), To: engine.Keep("lucid/conform")})
			require.NoError(t, err, s.said)
			require.Contains(t, contents(t, res), fmt.Sprintf("%x", sha256.Sum256([]byte(token))))
			_, err = eng.Build(t.Context(), engine.Job{Spec: ran(t, asks, [2]string{"fail", mode}), To: engine.Keep("lucid/conform")})
			require.Error(t, err)
			require.NotContains(t, contents(t, res)+s.said.String()+err.Error(), token)
		}
		var found []string
		for range 600 { // a step that ends as the one on another node failed has its secret until then
			if found, _ = secrettest.Holding(t, []string{token}, append(s.dirs, dir)...); len(found) == 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		require.Empty(t, found)
	})
	t.Run("errors", func(t *testing.T) {
		_, err := s.open(t, "").Build(t.Context(), engine.Job{Spec: ran(t, [2]string{"fail", "the cat ate it"}), To: engine.Keep("lucid/conform")})
		require.EqualError(t, err, "building fail the cat ate it: ERROR: the cat ate it")
		require.ErrorAs(t, err, new(*engine.StepError))
	})
	t.Run("cancel", func(t *testing.T) { s.cancel(t) })
}

// cancel ends a build in the middle of a step; the next one is not disturbed.
func (s *suite) cancel(t *testing.T) {
	eng := s.open(t, "")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("seen enough")
	go func() {
		for !strings.Contains(s.said.String(), "sleeping") && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
		}
		cancel(enough)
	}()
	_, err := eng.Build(ctx, engine.Job{Spec: ran(t, [2]string{"sleep", t.Name() + time.Now().String()}), To: engine.Keep("lucid/conform")})
	require.ErrorIs(t, err, enough)
	s.build(t, eng, ran(t, [2]string{"write", "afterwards"}))
}

// contents are the bytes of an image's layers.
func contents(t *testing.T, res *engine.Result) string {
	t.Helper()
	var all strings.Builder
	m, err := res.Index.IndexManifest()
	require.NoError(t, err)
	for _, desc := range m.Manifests {
		img, err := res.Index.Image(desc.Digest)
		require.NoError(t, err)
		layers, err := img.Layers()
		require.NoError(t, err)
		for _, l := range layers {
			r, err := l.Uncompressed()
			require.NoError(t, err)
			var layer bytes.Buffer
			_, err = layer.ReadFrom(r)
			require.NoError(t, err)
			all.Write(layer.Bytes())
		}
	}
	return all.String()
}

func TestConformance(t *testing.T) {
	want := os.Getenv(wantVariable)
	if want == "" {
		requireEngine(t)
	}
	(&suite{addresses: "embedded"}).conform(t, &want)
}

// The suite as a user who is not root, and has a range of subordinate ids.
func TestConformanceOfAnyUser(t *testing.T) {
	requireEngine(t)
	const nobody = 65534
	embedded := &suite{addresses: "embedded"}
	want := embedded.build(t, embedded.open(t, ""), ran(t, [2]string{"write", "first"}, [2]string{"write", "second"}))
	home, err := os.MkdirTemp("/tmp", "rootless") // not below a directory of root's
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chown(home, nobody, nobody))
	steps, err := stepDir()
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(filepath.Join(home, "step"), os.DirFS(steps)))
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	program := filepath.Join(home, "engine.test")
	require.NoError(t, os.WriteFile(program, self, 0o755))
	ids := filepath.Join(home, "ids")
	require.NoError(t, os.WriteFile(ids, []byte("nobody:1000000:65536\n"), 0o644))
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", "mount --bind "+ids+" /etc/subuid && mount --bind "+ids+" /etc/subgid && "+
		`exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" "$@"`,
		program, "-test.v", "-test.run", "^TestConformance$")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), wantVariable+"="+want, stepVariable+"="+filepath.Join(home, "step"), "HOME="+home, "XDG_CACHE_HOME=", "TMPDIR="+home)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: TestConformance (")
}

// Every other engine makes the same bytes.
func TestLongConformance(t *testing.T) {
	requireEngine(t)
	res := ""
	embedded := &suite{addresses: "embedded"}
	res = embedded.build(t, embedded.open(t, ""), ran(t, [2]string{"write", "first"}, [2]string{"write", "second"}))
	want := &res
	t.Run("buildkitd over TCP with TLS", func(t *testing.T) {
		authority := certstest.New(t)
		certs := authority.Issue(t, "127.0.0.1", time.Now().Add(time.Hour))
		d := dockertest.Buildkitd{Certs: certs}.Start(t)
		(&suite{addresses: d.Host + "?cert=" + certs, dirs: []string{d.Dir}}).conform(t, want)
		t.Run("certificates", func(t *testing.T) { wrongCertificates(t, d.Host, authority, certs) })
	})
	t.Run("Docker 28 with the containerd store", func(t *testing.T) {
		d := dockertest.Docker{Version28: true, ContainerdStore: true}.Start(t)
		t.Setenv("DOCKER_HOST", d.Host)
		(&suite{addresses: "docker", dirs: []string{d.Dir}}).conform(t, want)
	})
	t.Run("a builder of buildx", func(t *testing.T) {
		d := dockertest.Buildkitd{}.Start(t)
		t.Setenv("DOCKER_CONFIG", dockertest.Buildx(t))
		out, err := exec.Command("docker", "buildx", "create", "--name", "ci", "--driver", "remote", d.Host).CombinedOutput()
		require.NoError(t, err, string(out))
		(&suite{addresses: "buildx://ci", dirs: []string{d.Dir}}).conform(t, want)
		_, err = engine.Open(t.Context(), "buildx://nobody", engine.WithCacheDir(t.TempDir()))
		require.ErrorContains(t, err, "connecting to buildx://nobody: there is no such builder; there are ci")
	})
	t.Run("three nodes", func(t *testing.T) {
		var addresses, dirs []string
		for range 3 {
			d := dockertest.Buildkitd{}.Start(t)
			addresses, dirs = append(addresses, d.Host), append(dirs, d.Dir)
		}
		(&suite{addresses: strings.Join(addresses, ","), dirs: dirs}).conform(t, want)
	})
}

// A machine that has nothing takes what another one ran from a cache that both reach.
func TestCacheBetweenMachines(t *testing.T) {
	requireEngine(t)
	dir, shared := t.TempDir(), testregistry.New(t)
	for to, from := range map[string]string{
		"type=local,dest=" + dir + ",mode=max":                         "type=local,src=" + dir,
		"type=registry,ref=" + shared.Ref("lucid/cache") + ",mode=max": shared.Ref("lucid/cache"),
	} {
		machine := func(opts ...engine.Option) (digest, said string) {
			log := &buffer{}
			opts = append(opts, engine.WithCacheDir(t.TempDir()), engine.WithProgress(log), engine.WithProgressMode("plain"))
			eng, err := engine.Open(t.Context(), "embedded", opts...)
			require.NoError(t, err)
			defer func() { require.NoError(t, eng.Close()) }()
			jobs := make([]engine.Job, 6) // at once: none may take another one's place
			for i := range jobs {
				jobs[i] = engine.Job{Spec: ran(t, [2]string{"write", "first"}, [2]string{"write", fmt.Sprint("second of ", i)}), To: engine.Keep(fmt.Sprint("lucid/", i))}
			}
			results, err := eng.BuildAll(t.Context(), jobs)
			require.NoError(t, err, log)
			for _, res := range results {
				digest += res.Digest
			}
			return digest, log.String()
		}
		// Nothing to take is no error.
		want, said := machine(engine.WithCacheTo(to), engine.WithCacheFrom(from))
		require.Contains(t, said, "writing second")
		got, said := machine(engine.WithCacheFrom(from))
		require.Equal(t, want, got)
		require.NotContains(t, said, "writing second")
		require.Contains(t, said, "CACHED")
	}
}

// wrongCertificates each have an error of one line that names what is wrong.
func wrongCertificates(t *testing.T, host string, authority *certstest.Authority, right string) {
	mixed := func(ca, own string) string {
		dir := t.TempDir()
		for name, from := range map[string]string{"ca.pem": ca, "cert.pem": own, "key.pem": own} {
			data, err := os.ReadFile(filepath.Join(from, name))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		}
		return dir
	}
	stranger := certstest.New(t).Issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	expired := authority.Issue(t, "127.0.0.1", time.Now().Add(-time.Hour))
	for says, address := range map[string]string{
		"certificate signed by unknown authority":                                  host + "?cert=" + stranger,
		"it refuses the client's certificate: tls: ":                               host + "?cert=" + mixed(right, stranger),
		"it refuses the client's certificate: tls: expired certificate":            host + "?cert=" + mixed(right, expired),
		"but wanted to match localhost":                                            strings.Replace(host, "127.0.0.1", "localhost", 1) + "?cert=" + right,
		"it wants TLS: name its certificates with ?cert=DIR or LUCID_ENGINE_CERTS": host,
	} {
		_, err := engine.Open(t.Context(), address, engine.WithCacheDir(t.TempDir()))
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "\n")
		t.Log(err)
	}
}

// What a node that is killed in the middle had to do, the others do.
func TestLongNodeIsKilled(t *testing.T) {
	requireEngine(t)
	spec := ran(t, [2]string{"pause", "first"}, [2]string{"pause", "second"})
	embedded := &suite{addresses: "embedded"}
	want := embedded.build(t, embedded.open(t, ""), spec)
	var nodes []*dockertest.Daemon
	var addresses []string
	for range 3 {
		d := dockertest.Buildkitd{}.Start(t)
		nodes, addresses = append(nodes, d), append(addresses, d.Host)
	}
	s := &suite{addresses: strings.Join(addresses, ",")}
	eng := s.open(t, "")
	go func() {
		for strings.Count(s.said.String(), "pausing") < 6 && t.Context().Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
		nodes[0].Kill()
	}()
	var jobs []engine.Job
	for i := range 6 {
		own := ran(t, [2]string{"pause", "first"}, [2]string{"pause", "second"}, [2]string{"pause", fmt.Sprint(i)})
		jobs = append(jobs, engine.Job{Spec: own, To: engine.Keep(fmt.Sprint("lucid/", i))})
	}
	jobs = append(jobs, engine.Job{Spec: spec, To: engine.Keep("lucid/conform")})
	results, err := eng.BuildAll(t.Context(), jobs)
	require.NoError(t, err, s.said)
	require.Equal(t, want, results[6].Digest)
	require.Contains(t, s.said.String(), "BuildKit at "+addresses[0]+" was lost in the middle of the build")
	// Next time it is left out from the beginning.
	require.Equal(t, want, s.build(t, s.open(t, ""), spec))
	require.Contains(t, s.said.String(), "building without: connecting to BuildKit at "+addresses[0])
}
