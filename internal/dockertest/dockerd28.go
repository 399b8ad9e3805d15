//go:build linux

package dockertest

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// Docker 28 is a module without a go.mod: what it needs is in its vendor.mod.
const (
	dockerModule  = "github.com/docker/docker"
	dockerVersion = "v28.5.2+incompatible"
	dockerSum     = "h1:DBX0Y0zAjZbSrm1uzOkdr1onVghKaftjlSWt4AFexzM="
)

// dockerd28 returns the program, which it builds once for the machine: it stays in the
// user's cache directory.
func dockerd28(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "lucidbase-dockertest")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	lock := flock.New(filepath.Join(dir, "lock"))
	require.NoError(t, lock.Lock())
	defer func() { require.NoError(t, lock.Close()) }()
	program := filepath.Join(dir, "dockerd-"+dockerVersion)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	work := t.TempDir()
	writeModule(t, work)
	tool(t, work, "build", "-mod=mod", "-o", program+".new",
		"-tags", "exclude_graphdriver_btrfs", // it needs C
		"-ldflags", "-s -w -X "+dockerModule+"/dockerversion.Version=28.5.2", dockerModule+"/cmd/dockerd")
	require.NoError(t, os.Rename(program+".new", program))
	return program
}

// writeModule writes a module that needs Docker with all that its vendor.mod names.
func writeModule(t testing.TB, dir string) {
	t.Helper()
	var found struct{ Dir, Sum, GoModSum string }
	require.NoError(t, json.Unmarshal(tool(t, dir, "mod", "download", "-json", dockerModule+"@"+dockerVersion), &found))
	require.Equal(t, dockerSum, found.Sum)
	data, err := os.ReadFile(filepath.Join(found.Dir, "vendor.mod"))
	require.NoError(t, err)
	mod, err := modfile.Parse("vendor.mod", data, nil)
	require.NoError(t, err)
	require.NoError(t, mod.AddModuleStmt("dockertest"))
	require.NoError(t, mod.AddRequire(dockerModule, dockerVersion))
	text, err := mod.Format()
	require.NoError(t, err)
	sums, err := os.ReadFile(filepath.Join(found.Dir, "vendor.sum"))
	require.NoError(t, err)
	of := dockerModule + " " + dockerVersion
	sums = append(sums, of+" "+found.Sum+"\n"+of+"/go.mod "+found.GoModSum+"\n"...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), text, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))
}

// tool runs Go and returns what it printed on standard output.
func tool(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.NoError(t, err, string(exit.Stderr))
	}
	require.NoError(t, err)
	return out
}
