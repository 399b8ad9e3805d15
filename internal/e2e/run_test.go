//go:build linux

package e2e

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun runs an image by name, by layout and by archive.
func TestRun(t *testing.T) {
	s := needEngine(t)
	dir := t.TempDir()
	cache := []string{"XDG_CACHE_HOME=" + s.lockHome(), "FROM_HERE=here"}
	env := filepath.Join(dir, "env")
	require.NoError(t, os.WriteFile(env, []byte("# a comment\nONE=1\nTWO=file\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shown"), []byte("shown"), 0o644))
	const program = "import os, sys; print(*[os.environ[n] for n in ('ONE', 'TWO', 'FROM_HERE')], open('/app/shown').read()); print('wrong', file=sys.stderr); sys.exit(7)"
	got := s.run(t, command{dir: dir, env: cache, args: []string{
		"run", "bare-base", "--progress", "quiet", "--env-file", env, "--env", "TWO=2", "--env", "FROM_HERE", "--mount", "shown:/app/shown", "--", "python", "-c", program,
	}})
	require.Equal(t, result{stdout: "1 2 here shown\n", stderr: "wrong\n", code: 7, peak: got.peak}, got)

	layout := filepath.Join(dir, "dist/bare-base")
	require.Zero(t, s.run(t, command{dir: dir, env: cache, args: []string{"build", "bare-base"}}).code)
	archive := filepath.Join(dir, "bare.tar")
	output(t, "tar", "-C", layout, "-cf", archive, ".")
	for platform, machine := range map[string]string{"linux/amd64": "x86_64", "linux/arm64": "aarch64"} {
		for _, image := range []string{"bare-base", layout} {
			got := s.run(t, command{env: cache, args: []string{"run", image, "--progress", "quiet", "--platform", platform, "--", "python", "-c", "import os; print(os.uname().machine)"}})
			require.Equal(t, result{stdout: machine + "\n", peak: got.peak}, got)
		}
	}
	for _, image := range []string{layout, archive} {
		got := s.run(t, command{env: cache, args: []string{"run", image, "--", "python", "-c", "print('from', 1)"}})
		require.Equal(t, result{stdout: "from 1\n", peak: got.peak}, got)
	}

	server := s.cmd(t, command{env: cache, args: []string{"run", layout, "--env", "PORT=8000", "--", "python", "-u", "-m", "http.server", "--directory", "/etc"}})
	stderr, err := server.StderrPipe()
	require.NoError(t, err)
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	var url string
	for lines := bufio.NewScanner(stderr); url == "" && lines.Scan(); {
		url = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+$`).FindString(lines.Text())
	}
	waitFor(t, stdout, "Serving HTTP")
	res, err := http.Get(url + "/hostname")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "bare-base", strings.TrimSpace(string(body)))
	require.NoError(t, server.Process.Signal(syscall.SIGINT))
	require.Error(t, server.Wait())
	require.Equal(t, 143, server.ProcessState.ExitCode(), "128 and SIGTERM, the image's stop signal")
}

// A service that ends, or that nobody reaches, is no riddle.
func TestRunSaysWhatIsWrong(t *testing.T) {
	s := needEngine(t)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"ends at once":    {[]string{"python", "-c", "raise SystemExit(3)"}, 3, "lucidbase: bare-base ended with exit code 3\n"},
		"is not there":    {[]string{"node", "main.js"}, 127, "exec node failed: No such file or directory\n"},
		"is asked to end": {[]string{"python", "-c", "import os; os.kill(1, 15); import time; time.sleep(600)"}, 143, "ended with exit code 143\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(t, command{env: []string{"XDG_CACHE_HOME=" + s.lockHome()}, args: append([]string{"run", "bare-base", "--progress", "quiet", "--env", "PORT=8000", "--"}, c.args...)})
			require.Equal(t, c.code, got.code, got.stderr)
			require.Contains(t, got.stderr, c.says)
		})
	}
	for program, says := range map[string]string{
		"": "nobody answers at bare-base:8000: it listens on no port",
		"s = socket.create_server(('127.0.0.1', 8000)); ": "it listens on 127.0.0.1:8000, which nobody outside reaches: 0.0.0.0 is needed",
	} {
		t.Run(says, func(t *testing.T) {
			silent := s.cmd(t, command{env: []string{"XDG_CACHE_HOME=" + s.lockHome()}, args: []string{"run", "bare-base", "--progress", "quiet", "--env", "PORT=8000", "--", "python", "-u", "-c", "import signal, socket; " + program + "print('started'); signal.pause()"}})
			stderr, err := silent.StderrPipe()
			require.NoError(t, err)
			stdout, err := silent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, silent.Start())
			lines := bufio.NewScanner(stderr)
			require.True(t, lines.Scan())
			url := strings.TrimPrefix(lines.Text(), "lucidbase: ")
			waitFor(t, stdout, "started")
			for range 2 {
				_, err = http.Get(url) //nolint:bodyclose // there is none
				require.Error(t, err)
			}
			require.True(t, lines.Scan())
			require.Contains(t, lines.Text(), says)
			require.NoError(t, silent.Process.Signal(syscall.SIGINT))
			require.False(t, lines.Scan(), "it is said once, and an end that was asked for is not: %s", lines.Text())
			require.Error(t, silent.Wait())
		})
	}
}
