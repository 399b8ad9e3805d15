package embedded

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An engine that is killed while a step has secrets leaves no process, no mount
// and no file that names a secret; the next one needs no cleaning.
func TestKillLeavesNothing(t *testing.T) {
	requireEngine(t)
	for name, user := range map[string]int{"root": 0, "user": nobody} {
		t.Run(name, func(t *testing.T) {
			if user != 0 {
				requireUserns(t)
			}
			dir, f := ownedDir(t, newFixture(t), user)
			temp := t.TempDir()
			require.NoError(t, os.Chmod(temp, 0o777))
			change := func(cmd *exec.Cmd) {
				if user != 0 {
					ownMounts(cmd)
				}
				cmd.Env = append(cmd.Env, "TMPDIR="+temp)
			}
			j := job{StateDir: dir, Fixture: f, Do: "sleep", Mark: "mark-" + filepath.Base(dir), Secret: rand.Text(), User: user}
			victim := startJob(t, j, change)
			victim.expect(t, "sleeping")
			requireSecretSeen(t, j)
			require.NotEmpty(t, mounts(t, dir))

			require.NoError(t, victim.Process.Kill())
			_ = victim.Wait()
			require.Eventually(t, func() bool {
				return len(processes(t, j.Mark)) == 0 && len(mounts(t, memoryDir(dir))) == 0 && len(cgroups(filepath.Join(dir, "uid-0"))) == 0
			}, 10*time.Second, 10*time.Millisecond)
			require.Empty(t, filesWith(t, j.Secret, dir, temp, runcState))
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			require.Empty(t, left)

			j.Do = "modes"
			next := startJob(t, j, change)
			next.expect(t, "open")
			next.expect(t, "{")
			require.NoError(t, next.stdin.Close())
			require.NoError(t, next.Wait())
			require.Empty(t, cgroups(filepath.Join(dir, "uid-0")))
		})
	}
}

// requireSecretSeen shows that filesWith finds secrets where there are some: in
// the step's own file and in what runc reads, as the engine's child sees it.
func requireSecretSeen(t *testing.T, j job) {
	t.Helper()
	step := processes(t, j.Mark)
	require.NotEmpty(t, step)
	inside := filepath.Join(filepath.Dir(step[len(step)-1]), "root")
	require.Len(t, filesWith(t, j.Secret, filepath.Join(inside, "run/secrets")), 1)
	var child string
	for _, p := range processes(t, childName) {
		if line, _ := os.ReadFile(p); bytes.Contains(line, []byte(j.StateDir)) {
			child = filepath.Join(filepath.Dir(p), "root")
		}
	}
	require.NotEmpty(t, child, "BuildKit's process")
	roots, err := filepath.Glob(filepath.Join(j.StateDir, "uid-*"))
	require.NoError(t, err)
	require.Len(t, roots, 1)
	found := filesWith(t, j.Secret, filepath.Join(child, memoryDir(roots[0])))
	require.GreaterOrEqual(t, len(found), 2, "a mount's source and a variable")
	require.Empty(t, filesWith(t, j.Secret, j.StateDir), "outside of the child")
}

// filesWith lists the files below dirs that hold a text.
func filesWith(t *testing.T, text string, dirs ...string) (found []string) {
	t.Helper()
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // gone meanwhile, or nothing to read
			}
			if data, _ := os.ReadFile(path); bytes.Contains(data, []byte(text)) {
				found = append(found, path)
			}
			return nil
		}))
	}
	return found
}
