package cli

import (
	"bytes"
	"context"
	"log"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/variants"
)

// run runs the command as main does and returns what it printed.
func run(t *testing.T, env map[string]string, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = Run(context.Background(), args, Streams{
		Out: &stdout, Err: &stderr, Getenv: func(name string) string { return env[name] },
	})
	return status, stdout.String(), stderr.String()
}

func TestOldFlags(t *testing.T) {
	got := oldFlags(strings.Fields("build -Platform linux/arm64 -Push -Tag v1.0.0 -NoCache -registry:ghcr -Push:$false -tag=v2 --tag v3 -x"))
	require.Equal(t, strings.Fields("build --platform linux/arm64 --push --tag v1.0.0 --no-cache --registry=ghcr --push=false --tag=v2 --tag v3 -x"), got)
}

// A wrong command line is reported in one line, without a build, with status 2.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		args string
		says string
	}{
		{name: "command", args: "biuld", says: "biuld"},
		{name: "flag", args: "build --wrong", says: "--wrong"},
		{name: "image", args: "build pyton-base", says: "did you mean python-base?"},
		{name: "image like none", args: "build nginx", says: "base, python-base"},
		{name: "platform", args: "build --platform linux/riscv64", says: "linux/riscv64"},
		{name: "old platform", args: "build -Platform windows", says: "windows"},
		{name: "no platform", args: "build --platform=", says: "--platform"},
		{name: "tag", args: "build --tag a/b", says: "not a valid tag"},
		{name: "insecure registry", args: "build --insecure-registry https://r.example", says: `--insecure-registry "https://r.example": not HOST or HOST:PORT`},
		{name: "second tag", args: "build --tag a --tag b/c", says: "not a valid tag"},
		{name: "series that is written", args: "build --tag v1.0.0 --tag-series", says: "--tag-series: only a registry has series"},
		{name: "series of no version", args: "build --tag v1.0 --tag stable --tag-series --push", says: "--tag-series: no --tag is a semantic version"},
		{name: "tag first character", args: "build --tag .a", says: "not a valid tag"},
		{name: "long tag", args: "build --tag " + strings.Repeat("a", 129), says: "not a valid tag"},
		{name: "registry", args: "build --registry UPPER/case", says: "--registry"},
		{name: "no registry", args: "build --push --registry=", says: `--registry "": it is empty`},
		{name: "compression", args: "build --compression lz4", says: "gzip or zstd"},
		{name: "output format", args: "build --output x.tar --output-format zip", says: "--output-format \"zip\": not oci or docker"},
		{name: "store", args: "build --load=rkt", says: "--load: \"rkt\" is not docker, podman or containerd:ADDRESS"},
		{name: "store as an image", args: "build --load podman base", says: "--load=podman"},
		{name: "containerd nowhere", args: "build --load=containerd:", says: "--load: containerd has no address"},
		{name: "layouts for docker", args: "build --platform linux/amd64 --output-format docker", says: "needs --output FILE.tar or --output -"},
		{name: "two platforms for docker", args: "build --output x.tar --output-format docker", says: "choose it with --platform"},
		{name: "packages and a list", args: "lock --system libpq5 -r x.txt", says: "--system is for Debian packages alone: leave out --requirements"},
		{name: "packages and a file", args: "lock --system libpq5 -f x.yaml", says: "leave out --file"},
		{name: "no packages", args: "lock --system=", says: "--system: no packages"},
		{name: "relock of services", args: "build --relock -f testdata/lucidbase.yaml", says: "--relock is for base images"},
		{name: "lock one list and a file's", args: "lock -r x.txt -f testdata/lucidbase.yaml", says: "choose one"},
		{name: "output of a file's locks", args: "lock -o x -f testdata/lucidbase.yaml", says: "name it with -r"},
		{name: "unknown service", args: "build -f testdata/lucidbase.yaml helo", says: "testdata/lucidbase.yaml has no service \"helo\"; did you mean hello?"},
		{name: "what was built", args: "compose", says: "--metadata-file: missing; it is the file that \"build\" wrote"},
		{name: "service to deploy", args: "k8s -f testdata/lucidbase.yaml --metadata-file x helo", says: "did you mean hello?"},
		{name: "service like none", args: "graph -f testdata/lucidbase.yaml base", says: "it has hello, worker"},
		{name: "service to run", args: "run -f testdata/lucidbase.yaml web", says: "it has hello, worker"},
		{name: "cache limit", args: "build --cache-limit much", says: "--cache-limit"},
		{name: "environment", env: map[string]string{"PUSH": "perhaps"}, args: "build", says: "PUSH"},
		{name: "environment platform", env: map[string]string{"PLATFORM": "mips"}, args: "build", says: "mips"},
		{name: "graph without image", args: "graph", says: "arg"},
		{name: "graph of two platforms", args: "graph base --platform linux/amd64,linux/arm64", says: "--platform"},
		{name: "graph format", args: "graph base --format png", says: "--format"},
		{name: "no patience", args: "build --registry-timeout 0s", says: "--registry-timeout 0s: must be more than 0s"},
		{name: "patience without a unit", args: "verify x --registry-timeout 5", says: "--registry-timeout"},
		{name: "no patience to verify", args: "verify x --registry-timeout -1s", says: "must be more than 0s"},
		{name: "progress", args: "build --progress loud", says: "--progress"},
		{name: "run nothing", args: "run", says: "one image is needed"},
		{name: "run two", args: "run base python-base", says: "one image is needed"},
		{name: "run arguments alone", args: "run -- python", says: "one image is needed"},
		{name: "port", args: "run base --port http", says: "HERE:THERE"},
		{name: "port 0", args: "run base --port 0", says: "1 to 65535"},
		{name: "mount", args: "run base --mount /etc", says: "SOURCE:TARGET"},
		{name: "relative mount", args: "run base --mount /etc:etc", says: "SOURCE:TARGET"},
		{name: "variable without name", args: "run base --env =x", says: "no name"},
		{name: "no file of variables", args: "run base --env-file testdata/nothing", says: "testdata/nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errOut := run(t, c.env, strings.Fields(c.args)...)
			require.Equal(t, statusUsage, status, errOut)
			require.Contains(t, errOut, c.says)
			require.Empty(t, out, "stdout is for results")
		})
	}
}

func TestEnvironment(t *testing.T) {
	cmd := newBuild(Streams{}, nil)
	env := map[string]string{"PLATFORM": "linux/arm64", "PUSH": "true", "TAG": "v1", "NO_CACHE": "1", "REGISTRY": "r"}
	require.NoError(t, cmd.Flags().Parse([]string{"--tag", "v2"}))
	require.NoError(t, fromEnv(cmd, func(name string) string { return env[name] }))
	for flag, want := range map[string]string{
		"platform": "linux/arm64", "push": "true", "tag": "[v2]", "no-cache": "true", "registry": "r",
	} {
		got := cmd.Flags().Lookup(flag).Value.String()
		require.Equal(t, want, got, flag)
	}
}

func TestVersionLabel(t *testing.T) {
	for tag, want := range map[string]string{
		"v1.0.0": "v1.0.0", "1.0.0": "1.0.0", "v1.2.3-rc.1": "v1.2.3-rc.1",
		"latest": "", "v1.0": "", "1.0.0.0": "", "v1": "", "main-2024": "",
	} {
		var stderr bytes.Buffer
		b := tagFlags{names: []string{tag}}
		got, err := b.version(Streams{Err: &stderr})
		require.NoError(t, err)
		require.Equal(t, want, got, tag)
		told := tag == "v1.0" || tag == "1.0.0.0"
		require.Equal(t, told, stderr.Len() > 0, "%s: %s", tag, stderr.String())
	}
}

func TestFindImages(t *testing.T) {
	all, err := findImages(nil)
	require.NoError(t, err)
	require.Len(t, all, len(images)/2, "twins are built by name")
	twins, err := findImages([]string{"python-dev", "base-dev"})
	require.NoError(t, err)
	require.True(t, twins[0].dev)
	twice, err := findImages([]string{"python", "python-base", "standard"})
	require.NoError(t, err)
	require.Len(t, twice, 2)
	require.Equal(t, "python-base", twice[0].name)
}

func TestGraph(t *testing.T) {
	for _, format := range []string{"text", "dot", "mermaid", "json"} {
		status, out, errOut := run(t, nil, "graph", "python", "--platform", "linux/arm64/v8", "--format", format)
		require.Zero(t, status, errOut)
		require.Contains(t, out, "[arm64] python packages", format)
		require.Empty(t, errOut)
	}
}

// The services of a file are images, too; a path in it is relative to the file.
func TestGraphOfFile(t *testing.T) {
	status, out, errOut := run(t, nil, "graph", "-f", "testdata/lucidbase.yaml", "worker")
	require.Zero(t, status, errOut)
	require.Contains(t, out, "source of worker")
	require.Contains(t, out, "\"read testdata\"")
	status, _, errOut = run(t, nil, "build", "-f", "testdata/none.yaml")
	require.Equal(t, statusFailed, status)
	require.Equal(t, "lucidbase: testdata/none.yaml: no such file or directory\n", errOut)
}

// A program of one's own knows its services, and none of the base images.
func TestRunServices(t *testing.T) {
	a := variants.Service{Name: "a", Base: variants.Bare{}, Command: []string{"python"}}
	b := a
	b.Name = "b"
	for _, c := range []struct {
		args, out, err string
		services       []variants.Service
		status         int
	}{
		{args: "graph b", out: "[amd64] standard library"},
		{args: "build base", err: `this program has no service "base"; it has a, b`, status: statusUsage},
		{args: "run c", err: `this program has no service "c"; did you mean a?`, status: statusUsage},
		{args: "compose c --metadata-file x", err: `did you mean a?`, status: statusUsage},
		{args: "build -f x", err: "unknown shorthand flag: 'f'", status: statusUsage},
		{args: "build", err: `two services are called "a"`, services: []variants.Service{a, b, a}, status: statusFailed},
	} {
		var out, errOut bytes.Buffer
		services := append(c.services, a, b)
		if c.services == nil {
			services = []variants.Service{a, b}
		}
		status := RunServices(t.Context(), "own", strings.Fields(c.args), Streams{Out: &out, Err: &errOut, Getenv: func(string) string { return "" }}, services...)
		require.Equal(t, c.status, status, errOut.String())
		require.Contains(t, out.String(), c.out)
		require.Contains(t, errOut.String(), c.err)
	}
}

func TestSchema(t *testing.T) {
	status, out, _ := run(t, nil, "schema")
	require.Zero(t, status)
	require.Equal(t, file.Schema(), out)
}

func TestVersion(t *testing.T) {
	status, out, _ := run(t, nil, "version")
	require.Zero(t, status)
	require.Contains(t, out, "bookworm")
}

// What packages log by themselves is on no stream of the command: BuildKit's session does,
// now and then, when a build has ended.
func TestLogOfOthers(t *testing.T) {
	was := log.Writer()
	t.Cleanup(func() { log.SetOutput(was) })
	var logged bytes.Buffer
	log.SetOutput(&logged)
	status, _, errOut := run(t, nil, "version")
	require.Zero(t, status, errOut)
	log.Print("http2: server connection error")
	require.Empty(t, logged.String())
}
