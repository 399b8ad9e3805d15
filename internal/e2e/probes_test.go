//go:build linux

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// The packages of each tier, as their input files list them; uvicorn[standard]
// brings those of its extra. Each is called by the probe of its tier.
var (
	minimalPackages = []string{
		"cryptography", "pynacl", "requests", "aiohttp", "psutil", "pymongo", "redis",
		"prometheus-client", "structlog",
	}
	pythonPackages = append([]string{
		"fastapi", "uvicorn", "pydantic", "pydantic-settings", "httpx", "motor", "celery",
		"watchdog", "python-dotenv", "orjson", "python-multipart", "packaging",
	}, minimalPackages...)
	standardPackages = append([]string{
		"pyyaml", "bcrypt", "python-jose", "passlib", "dnspython", "python-dateutil", "pytz",
		"zstandard",
	}, pythonPackages...)

	uvicornStandard = []string{"uvloop", "httptools", "websockets", "watchfiles"}
)

// The checks that each image passes besides, whatever its packages are.
var (
	baseChecks = []string{
		"identity", "interpreter", "environment", "locale", "read-only", "cached-bytecode",
		"ca-bundle", "tls", "zoneinfo", "sqlite3", "ctypes", "readline", "compression", "databases",
		"hashlib", "processes-and-threads", "orphans", "no-installer",
	}
	// Of the image with musl: its own instead of some of the base's.
	muslChecks = []string{
		"identity", "interpreter", "environment", "read-only", "cached-bytecode",
		"ca-bundle", "tls", "zoneinfo", "sqlite3", "ctypes", "compression",
		"hashlib", "processes-and-threads", "orphans", "no-installer",
		"musl-locale", "musl", "packages-listed",
	}
	// Of the file systems below the packages, one with each C library.
	stdlibChecks = []string{"standard-library", "terminfo", "lib2to3-and-distutils", "find-library"}
	fileChecks   = []string{
		"record", "recorded", "no-leftovers", "bytecode", "no-orphan-bytecode", "scripts",
	}
	serverChecks = append([]string{"console-scripts", "cached-packages"}, uvicornStandard...)
)

// probe is a file of testdata and the checks that it must report as passed.
type probe struct {
	file   string
	checks [][]string
}

// probes are what each image has to pass, by its name.
var probes = map[string][]probe{
	"alpine-base": {
		{"probe_files.py", [][]string{fileChecks}},
		{"probe_alpine.py", [][]string{muslChecks, minimalPackages}},
		{"probe_stdlib.py", [][]string{stdlibChecks}},
	},
	"python-base": {
		{"probe_files.py", [][]string{fileChecks}},
		{"probe_python.py", [][]string{baseChecks, serverChecks, pythonPackages}},
	},
	"base": {
		{"probe_files.py", [][]string{fileChecks}},
		{"probe_standard.py", [][]string{baseChecks, serverChecks, standardPackages}},
		{"probe_stdlib.py", [][]string{stdlibChecks}},
	},
}

// testProbes runs each probe of an image; a probe goes on after a failure, so
// that its output has all of them.
func testProbes(t *testing.T, c container, image string) {
	require.NotEmpty(t, probes[image])
	for _, p := range probes[image] {
		t.Run(p.file, func(t *testing.T) {
			got := c.run(t, "python", probeDir+"/"+p.file)
			assert.Zero(t, got.code, "%s%s", got.stdout, got.stderr)
			var passed []string
			for line := range strings.Lines(got.stdout) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "ok "); ok {
					passed = append(passed, name)
				}
			}
			assert.ElementsMatch(t, slices.Concat(p.checks...), passed)
		})
	}
}

// testDefaultCommand runs what the image runs when nobody names a command: a
// Python that reads its program from an empty standard input.
func testDefaultCommand(t *testing.T, c container) {
	assert.Equal(t, "65532:65532", c.config.User)
	assert.Equal(t, "/app", c.config.WorkingDir)
	assert.Equal(t, []string{"/usr/bin/tini", "--"}, c.config.Entrypoint)
	assert.Equal(t, []string{"python"}, c.config.Cmd)
	got := c.run(t, c.config.Cmd...)
	require.Zero(t, got.code, got.stderr)
	require.Empty(t, got.stdout+got.stderr)

	// As "docker stop" does it; process 1 itself would sleep on.
	got = c.run(t, "python", "-c", "import os, signal, time; os.kill(1, signal.SIGTERM); time.sleep(60)")
	require.Equal(t, 128+15, got.code, got.stderr)
	require.Empty(t, got.stdout+got.stderr)
}

// TestEveryPackageIsProbed fails when a tier gets a package that no probe calls.
func TestEveryPackageIsProbed(t *testing.T) {
	inputs, err := resolve.DefaultLists()
	require.NoError(t, err)
	for file, want := range map[string][]string{
		"minimal.in": minimalPackages, "python.in": pythonPackages, "standard.in": standardPackages,
	} {
		require.ElementsMatch(t, want, listed(inputs.Python, file), file)
	}
}

// listed returns the names in a requirements file and in those that it includes.
func listed(files map[string][]byte, name string) []string {
	var names []string
	for line := range strings.Lines(string(files[name])) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if included, ok := strings.CutPrefix(line, "-r "); ok {
			names = append(names, listed(files, included)...)
		} else if line != "" {
			end := strings.IndexAny(line+"=", "[<>=!~; ")
			names = append(names, line[:end])
		}
	}
	return names
}
