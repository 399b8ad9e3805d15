package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// Some tests need a second process: this program again, with a job in its
// environment.

const jobVariable = "LUCID_TEST_JOB"

// job is what a child does: it opens an engine, runs a sleeping step or builds
// the graph of modes, and ends when its input does.
type job struct {
	StateDir string
	Fixture  fixture
	Do       string // "hold", "sleep", with secrets, "pause" or "modes"
	Mark     string
	// Builds is how many of "modes" it builds at once, each with steps and, in a
	// directory with a number after its name, a store of its own.
	Builds int
	Secret string
	// User is whom it becomes first, unless 0; Without is what it goes without.
	User    int
	Without string
}

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(jobVariable)
	if !ok {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		if err = j.prepare(); err == nil {
			err = j.run(context.Background())
		}
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// run says what it does in lines on standard output.
func (j job) run(ctx context.Context) error {
	syscall.Umask(0o077) // no result depends on it
	say := func(line string) { fmt.Println(line) }
	b, err := Open(ctx, engine.BackendConfig{StateDir: j.StateDir, Notify: say, Warn: say})
	if err != nil {
		return err
	}
	fmt.Println("open")
	switch j.Do {
	case "sleep":
		opts := []llb.RunOption{
			llb.AddSecret("/run/secrets/file", llb.SecretID("test")),
			llb.AddSecret("SECRET", llb.SecretID("test"), llb.SecretAsEnv(true)),
		}
		j.Fixture.Secrets = map[string][]byte{"test": []byte(j.Secret)}
		_, err = build(ctx, b, j.Fixture, step(j.Fixture, opts, "sleep", j.Mark), say)
	case "pause":
		if _, err = build(ctx, b, j.Fixture, step(j.Fixture, nil, "pause", j.Mark), say); err == nil {
			fmt.Println("paused")
		}
	case "modes":
		err = j.builds(ctx, b)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return b.Close()
}

// builds builds the graph of modes, or several of them at once, and says what came
// out.
func (j job) builds(ctx context.Context, b engine.Backend) error {
	results := make([]*result, max(1, j.Builds))
	eg, ctx := errgroup.WithContext(ctx)
	for i := range results {
		eg.Go(func() (err error) {
			f, mark := j.Fixture, j.Mark
			if i > 0 {
				f.Dir += fmt.Sprint(i)
				mark += fmt.Sprint("-", i)
			}
			for range 3 { // as an Engine does when another client ends from which BuildKit took what both need
				if results[i], err = build(ctx, b, f, modesWith(f, mark), nil); err == nil || !strings.Contains(err.Error(), "context canceled") {
					return err
				}
			}
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(results[0])
}

// child is a running one.
type child struct {
	*exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func startJob(t testing.TB, j job, change func(*exec.Cmd)) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), jobVariable+"="+string(encode(t, j)))
	cmd.Stderr = os.Stderr
	if change != nil {
		change(cmd)
	}
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	return &child{Cmd: cmd, stdin: stdin, lines: lines}
}

// expect reads lines until one has the prefix, and returns it.
func (c *child) expect(t testing.TB, prefix string) string {
	t.Helper()
	var seen []string
	for c.lines.Scan() {
		if strings.HasPrefix(c.lines.Text(), prefix) {
			return c.lines.Text()
		}
		seen = append(seen, c.lines.Text())
	}
	require.Fail(t, "the child never said "+prefix, "%s", strings.Join(seen, "\n"))
	return ""
}
