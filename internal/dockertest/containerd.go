//go:build linux

package dockertest

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Containerd starts Debian's containerd, which ends with the test. Its Host is for
// "ctr --address", with Socket.
func Containerd(t testing.TB) *Daemon {
	t.Helper()
	Need(t, "containerd", "ctr", "runc")
	d := newDaemon(t, "containerd.sock")
	config := "version = 2\n" +
		"root = " + strconv.Quote(filepath.Join(d.Dir, "root")) + "\n" +
		"state = " + strconv.Quote(filepath.Join(d.Dir, "state")) + "\n" +
		"disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n" +
		"[grpc]\naddress = " + strconv.Quote(d.Socket()) + "\n"
	file := filepath.Join(d.Dir, "config.toml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	answers := func() error {
		_, err := d.Try("ctr", "--address", d.Socket(), "version")
		return err
	}
	d.start(t, Own, answers, "containerd", "--config", file)
	return d
}
