//go:build linux

package dockertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Docker is a dockerd to start. Its zero value is Debian's.
type Docker struct {
	// Version28 is Docker 28, which is built for it: half an hour of CPU the first
	// time. Otherwise Debian's, 20.10.
	Version28 bool
	// ContainerdStore keeps images in containerd's store, not in the classic one.
	// It needs Version28.
	ContainerdStore bool
	// Network that dockerd, its builds and its containers reach.
	Network Network
	// Data is its data directory; empty means one that ends with the test.
	Data string
	// Args are more of dockerd's flags.
	Args []string
}

// Start starts a dockerd that ends with the test.
func (o Docker) Start(t testing.TB) *Daemon {
	t.Helper()
	Need(t, "dockerd", "containerd", "runc", "docker")
	program := "dockerd"
	if o.Version28 {
		program = dockerd28(t)
	}
	d := newDaemon(t, "docker.sock")
	config, err := json.Marshal(map[string]any{"features": map[string]bool{"containerd-snapshotter": o.ContainerdStore}})
	require.NoError(t, err)
	if !o.Version28 {
		config = []byte("{}") // it knows no such feature
	}
	file := filepath.Join(d.Dir, "daemon.json")
	require.NoError(t, os.WriteFile(file, config, 0o600))
	if o.Data == "" {
		o.Data = filepath.Join(d.Dir, "data")
	}
	args := []string{
		program, "--config-file", file, "--host", d.Host, "--data-root", o.Data,
		"--exec-root", filepath.Join(d.Dir, "exec"), "--pidfile", filepath.Join(d.Dir, "pid"),
		"--ip6tables=false", "--userland-proxy=false", "--insecure-registry", "127.0.0.0/8", "--log-level", "warn",
	}
	if o.Network == Behind {
		Need(t, "slirp4netns")
	} else { // the machine's packet filter stays as it is, and images come from the test alone
		args = append(args, "--iptables=false", "--ip-forward=false", "--ip-masq=false")
	}
	d.start(t, o.Network, func() error { return ping(d.Socket()) }, append(args, o.Args...)...)
	return d
}

// ping asks what listens on a socket whether it is a Docker or Podman that works.
func ping(socket string) error {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	resp, err := c.Get("http://docker/_ping")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
