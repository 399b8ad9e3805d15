//go:build linux

package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/internal/secrettest"
)

// privateIndex is a way to be let in to an index.
type privateIndex struct {
	name string
	// env says where the index is and who asks. host is the index's, dir one for files.
	env func(host, password, dir string) []string
}

var privateIndexes = []privateIndex{
	{"address", func(host, password, _ string) []string {
		address := (&url.URL{Scheme: "http", User: url.UserPassword("reader", password), Host: host, Path: "/simple"}).String()
		return []string{"UV_INDEX=" + address, "PIP_EXTRA_INDEX_URL=" + address}
	}},
	{"named", func(host, password, _ string) []string {
		return []string{"UV_INDEX=private=http://" + host + "/simple", "UV_INDEX_PRIVATE_USERNAME=reader", "UV_INDEX_PRIVATE_PASSWORD=" + password}
	}},
	{"netrc", func(host, password, dir string) []string {
		name, _, _ := strings.Cut(host, ":")
		file := filepath.Join(dir, "netrc")
		_ = os.WriteFile(file, fmt.Appendf(nil, "machine %s login reader password %s\n", name, password), 0o600)
		return []string{"UV_INDEX=http://" + host + "/simple", "NETRC=" + file}
	}},
	{"keyring", func(host, password, dir string) []string {
		_ = os.WriteFile(filepath.Join(dir, "keyring"), fmt.Appendf(nil, "#!/bin/sh\necho '%s'\n", password), 0o700) //nolint:gosec // it is run
		return []string{"UV_INDEX=http://reader@" + host + "/simple", "UV_KEYRING_PROVIDER=subprocess", "PATH=" + dir + ":" + os.Getenv("PATH")}
	}},
}

// The password of a private index is nowhere: not in what is said, locked, written or
// kept by the client and by a node, where it lets in and where it does not. The image is
// the same from all engines.
func TestLongPrivatePackages(t *testing.T) {
	s := needEngine(t)
	images := map[string]string{} // by the way to be let in
	for _, name := range []string{"embedded", "buildkitd", "buildx", "docker"} {
		e := engineOfIndex{name: name, host: "127.0.0.1"}
		cache := t.TempDir()
		e.kept = []string{cache} // all of it is searched
		switch name {
		case "buildkitd":
			d := dockertest.Buildkitd{}.Start(t)
			e.name, e.kept = d.Host, append(e.kept, d.Dir)
		case "buildx":
			d := dockertest.Buildkitd{}.Start(t)
			config := dockertest.Buildx(t)
			e.env = []string{"DOCKER_CONFIG=" + config}
			output(t, "env", e.env[0], "docker", "buildx", "create", "--name", "ci", "--driver", "remote", d.Host)
			e.name, e.kept = "buildx://ci", append(e.kept, d.Dir, config)
		case "docker":
			d := dockertest.Docker{Version28: true, ContainerdStore: true, Network: dockertest.Behind}.Start(t)
			e.env, e.host, e.kept = []string{"DOCKER_HOST=" + d.Host}, dockertest.Loopback, append(e.kept, d.Dir)
		}
		ways := privateIndexes
		if name == "buildx" || name == "docker" {
			ways = ways[:2] // they differ in this program
		}
		for _, p := range ways {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				image := p.try(t, s, e, cache)
				if images[p.name] == "" {
					images[p.name] = image
				}
				require.Equal(t, images[p.name], image)
			})
		}
	}
}

// engineOfIndex is an engine that asks an index: where the index is for it, and the
// directories that the engine keeps.
type engineOfIndex struct {
	name, host string
	env, kept  []string
}

// try returns what the command says of the image.
func (p privateIndex) try(t *testing.T, s shared, e engineOfIndex, cache string) (image string) {
	t.Helper()
	good, wrong := "Good+"+p.name+"/17=a%b", "Wrong+"+p.name+"/18=a%b"
	index := newPackageIndex(t)
	index.password = good
	name := "lucidprivate" + p.name
	index.files[name+"-1.0-py3-none-any.whl"] = pureWheel(t, name, "1.0")
	host := strings.Replace(strings.TrimPrefix(index.URL, "http://"), "127.0.0.1", e.host, 1)
	o := ownLock{s, t.TempDir()}
	o.list(t, "requirements.txt", name+"==1.0\n")
	o.list(t, "src/main.py", "import "+name+"\n")
	o.list(t, "lucidbase.yaml", "services:\n  thing:\n    base: bare-base\n    lock: requirements.lock.txt\n    source:\n      - {from: src, to: /app/src}\n    command: [python, -m, src.main]\n")
	runs := 0
	run := func(password, progress string, args ...string) result {
		t.Helper()
		env := slices.Concat(p.env(host, password, t.TempDir()), e.env, []string{"HOME=" + t.TempDir()})
		res := s.run(t, command{dir: o.dir, env: env, args: append(args, "--engine", e.name, "--cache-dir", cache, "--progress", progress)})
		runs++
		o.list(t, fmt.Sprintf("said/%d.txt", runs), res.stdout+res.stderr)
		return res
	}
	build := []string{"build", "-f", "lucidbase.yaml", "--platform", "linux/amd64", "--metadata-file", "built.json"}
	for _, progress := range []string{"plain", "rawjson"} {
		res := run(wrong, progress, "lock", "-r", "requirements.txt", "--base", "bare-base")
		require.Equal(t, 1, res.code, res.stderr)
		require.Contains(t, res.stderr, "401", "what went wrong is said")
		require.Contains(t, res.stderr, "the index refuses the credentials")
	}
	res := run(good, "plain", "lock", "-r", "requirements.txt", "--base", "bare-base")
	require.Zero(t, res.code, res.stderr)
	for _, progress := range []string{"plain", "rawjson"} {
		res = run(wrong, progress, build...)
		require.Equal(t, 1, res.code, res.stderr)
		require.Contains(t, res.stderr, "401")
	}
	res = run(good, "plain", build...)
	require.Zero(t, res.code, res.stderr)
	res = run(good, "rawjson", append(build, "--no-cache")...)
	require.Zero(t, res.code, res.stderr)
	found, compressed := secrettest.Holding(t, []string{good, wrong}, append(e.kept, o.dir)...)
	require.Empty(t, found, "files with a password")
	require.Positive(t, compressed, "layers were looked into")
	return res.stdout
}
