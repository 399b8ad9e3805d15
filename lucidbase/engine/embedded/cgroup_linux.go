package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupParent is below which control group an engine's steps are: one of its
// own, so that whoever holds the state's lock knows that none of it is in use.
func cgroupParent(root string) string {
	sum := sha256.Sum256([]byte(root))
	return "lucidbase-" + hex.EncodeToString(sum[:6])
}

// sweepCgroups removes the control groups of steps that have ended, which are all
// that the kernel does not end with a killed BuildKit's namespaces. It waits for
// steps that are just being killed: the kernel releases the lock before.
func sweepCgroups(root string) {
	for range 100 {
		all := cgroups(root)
		busy := slices.ContainsFunc(all, func(dir string) bool { return errors.Is(os.Remove(dir), unix.EBUSY) })
		if !busy {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// cgroups lists an engine's control groups, those in others first. BuildKit puts
// a step's at PARENT/buildkit/ID; version 1 has a tree for each controller.
func cgroups(root string) (dirs []string) {
	for _, below := range []string{"buildkit/*", "buildkit", ""} {
		for _, tree := range []string{"", "*"} {
			pattern := filepath.Join("/sys/fs/cgroup", tree, cgroupParent(root), below, "cgroup.procs")
			found, _ := filepath.Glob(pattern) // the pattern is well-formed
			for _, file := range found {
				dirs = append(dirs, filepath.Dir(file))
			}
		}
	}
	return dirs
}
