package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// runcState is where runc, as root, keeps its list of containers.
const runcState = "/run/runc"

// sweep removes what a killed predecessor left behind: containers that still
// run, mounts, and the directories of both. The caller holds the lock, so none
// of it is in use.
func sweep(ctx context.Context, root string) error {
	bundles, err := filepath.Glob(filepath.Join(root, "*", "executor", "*", "config.json"))
	if err != nil {
		return fmt.Errorf("sweeping %s: %w", root, err)
	}
	for _, config := range bundles {
		if err := killContainer(ctx, filepath.Base(filepath.Dir(config))); err != nil {
			return fmt.Errorf("sweeping %s: %w", root, err)
		}
	}
	if err := unmountAll(root); err != nil {
		return fmt.Errorf("sweeping %s: %w", root, err)
	}
	for _, pattern := range []string{filepath.Join(root, "*", "executor", "*"), filepath.Join(runtimeDir(root), "*")} {
		leftovers, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("sweeping %s: %w", root, err)
		}
		for _, path := range leftovers {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("sweeping %s: %w", root, err)
			}
		}
	}
	return nil
}

// runtimeDir is where runc keeps its containers when it is not root.
func runtimeDir(root string) string { return filepath.Join(root, "run") }

// killContainer kills a container by runc, or by hand where runc is gone.
func killContainer(ctx context.Context, id string) error {
	if runc, err := findRunc(false); err == nil {
		if exec.CommandContext(ctx, runc, "delete", "--force", id).Run() == nil {
			return nil
		}
	}
	dir := filepath.Join(runcState, id)
	text, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return nil // never started, or deleted
	}
	var state struct {
		PID   int    `json:"init_process_pid"`
		Start uint64 `json:"init_process_start"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return fmt.Errorf("reading the state of container %s: %w", id, err)
	}
	if err := killProcess(state.PID, state.Start); err != nil {
		return fmt.Errorf("killing container %s: %w", id, err)
	}
	return os.RemoveAll(dir)
}

// killProcess kills a process and waits until it is gone. Its number may be
// another process's by now; its start is not.
func killProcess(pid int, start uint64) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // gone, or never started
	}
	defer unix.Close(fd)
	if startOf(pid) != start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(stopTime.Milliseconds()))
	if n == 0 && err == nil {
		return fmt.Errorf("process %d does not end", pid)
	}
	return nil
}

// startOf gives the time a process was started, in clock ticks since boot; 0 if
// there is no such process. It is field 22 of proc_pid_stat(5); the second one
// is a name in parentheses that may hold anything.
func startOf(pid int) uint64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return 0
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return 0
	}
	return start
}

// unmountAll unmounts what is mounted in or from the directory. What is in use
// disappears from the file system at once and ends with its last user.
func unmountAll(root string) error {
	mounts, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return !belongs(m, root), false
	})
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	for i := len(mounts) - 1; i >= 0; i-- { // what was mounted last comes last
		point := mounts[i].Mountpoint
		err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: went with another one
			return fmt.Errorf("unmounting %s: %w", point, err)
		}
		if isScratch(point) {
			_ = os.Remove(point) // empty, and harmless if it stays
		}
	}
	return nil
}

// belongs reports whether a mount is below root, or one of those that BuildKit
// and containerd make in the directory for temporary files to copy from and to snapshots.
func belongs(m *mountinfo.Info, root string) bool {
	if strings.HasPrefix(m.Mountpoint, root+"/") {
		return true
	}
	if !isScratch(m.Mountpoint) {
		return false
	}
	if m.FSType == "overlay" {
		return strings.Contains(m.VFSOptions, "="+root+"/") || strings.Contains(m.VFSOptions, ":"+root+"/")
	}
	// A bind mount names its source from the root of the source's file system,
	// which may itself be mounted anywhere above.
	for dir := root; dir != ""; {
		if strings.HasPrefix(m.Root, dir+"/") {
			return true
		}
		next := strings.IndexByte(dir[1:], '/')
		if next < 0 {
			break
		}
		dir = dir[1+next:]
	}
	return false
}

func isScratch(point string) bool {
	name := filepath.Base(point)
	return strings.HasPrefix(name, "buildkit-mount") || strings.HasPrefix(name, "containerd-mount")
}
