//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
)

// After a change of one label: what a developer waits for before docker run. The
// containerd store gets both platforms.
func BenchmarkLoad(b *testing.B) {
	bin, cache, version := lucidbase(b), filepath.Join(b.TempDir(), "cache"), 0
	for _, store := range []struct {
		name   string
		engine func() *dockertest.Daemon
	}{
		{"classic20", func() *dockertest.Daemon { return dockertest.Docker{}.Start(b) }},
		{"classic28", func() *dockertest.Daemon { return dockertest.Docker{Version28: true}.Start(b) }},
		{"containerd28", func() *dockertest.Daemon { return dockertest.Docker{Version28: true, ContainerdStore: true}.Start(b) }},
		{"podman", func() *dockertest.Daemon { return dockertest.Podman(b) }},
	} {
		b.Run(store.name, func(b *testing.B) {
			d := store.engine()
			load := func() {
				version++
				cmd := exec.Command(bin, "build", "python-base", "--load", "--progress", "quiet", "--cache-dir", cache, "--tag", fmt.Sprintf("v1.0.%d", version))
				cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.Host, "DOCKER_TLS_VERIFY=")
				run(b, cmd)
			}
			load()
			for b.Loop() {
				load()
			}
			b.StopTimer()
			tag := fmt.Sprintf("lucid/python-base:v1.0.%d", version)
			require.Contains(b, d.Run(b, "docker", "inspect", "--format", "{{json .Config.Labels}}", tag), fmt.Sprintf("v1.0.%d", version))
		})
	}
}
