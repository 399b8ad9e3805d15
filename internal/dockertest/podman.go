//go:build linux

package dockertest

import (
	"path/filepath"
	"testing"
)

// Podman starts Debian's Podman as a service that ends with the test.
func Podman(t testing.TB) *Daemon {
	t.Helper()
	Need(t, "podman", "conmon", "runc")
	d := newDaemon(t, "podman.sock")
	d.start(t, Own, func() error { return ping(d.Socket()) },
		"podman", "--root", filepath.Join(d.Dir, "root"), "--runroot", filepath.Join(d.Dir, "run"), "--runtime", "runc",
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "system", "service", "--time", "0", d.Host)
	return d
}
