package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// cgroupPrefix begins the name of a sandbox's control group; the number of the
// process that made it follows.
const cgroupPrefix = "lucidtest-"

// removeCgroups removes a sandbox's control groups, the one thing of it that the
// kernel does not end with its namespaces. Version 1 has a tree for each controller.
func removeCgroups(name string) {
	if name == "" {
		return
	}
	for _, below := range []string{"*", ""} {
		for _, tree := range []string{"", "*"} {
			// The names of files end a pattern, which is well-formed.
			found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", tree, name, below, "cgroup.procs"))
			for _, file := range found {
				_ = os.Remove(filepath.Dir(file)) // empty, and harmless if it stays
			}
		}
	}
}

// sweepCgroups removes those of processes that were killed.
func sweepCgroups() {
	for _, tree := range []string{"", "*"} {
		found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", tree, cgroupPrefix+"*"))
		for _, dir := range found {
			number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
			pid, err := strconv.Atoi(number)
			if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				removeCgroups(filepath.Base(dir))
			}
		}
	}
}
