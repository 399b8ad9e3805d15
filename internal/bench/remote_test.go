//go:build linux

package bench

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
	"github.com/lucid-project/base-images/internal/dockertest"
)

// A BuildKit elsewhere builds both images for both platforms from nothing: what the
// client needs for that. examples/cluster reckons with it.
func BenchmarkRemote(b *testing.B) {
	bin, certs := lucidbase(b), certstest.New(b).Issue(b, "127.0.0.1", time.Now().Add(time.Hour))
	for b.Loop() {
		node := dockertest.Buildkitd{Certs: certs}.Start(b).Host + "?cert=" + certs
		usage := run(b, exec.Command(bin, "build", "base", "python-base", "--progress", "quiet", "--engine", node,
			"--cache-dir", filepath.Join(b.TempDir(), "cache"), "--output", filepath.Join(b.TempDir(), "dist")))
		peak := float64(usage.Maxrss) / 1024
		b.ReportMetric(peak, "MB-peak")
		b.ReportMetric(float64(usage.Utime.Nano()+usage.Stime.Nano())/1e9, "cpu-s")
		require.Less(b, peak, 150.0)
	}
}
