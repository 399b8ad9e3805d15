package engine_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// BenchmarkNodes drives three nodes with a hundred images for two platforms each, and
// prints what an image costs the client: examples/cluster reckons with it.
func BenchmarkNodes(b *testing.B) {
	const images = 100
	var addresses []string
	for range 3 {
		addresses = append(addresses, dockertest.Buildkitd{}.Start(b).Host)
	}
	for b.Loop() {
		eng, err := engine.Open(b.Context(), strings.Join(addresses, ","), engine.WithCacheDir(b.TempDir()))
		require.NoError(b, err)
		var jobs []engine.Job
		for i := range images {
			spec := ran(b, [2]string{"write", "shared"}, [2]string{"write", fmt.Sprint(i, time.Now().UnixNano())})
			jobs = append(jobs, engine.Job{Spec: spec, To: engine.Keep(fmt.Sprint("lucid/", i))})
		}
		before := cpu(b)
		_, err = eng.BuildAll(b.Context(), jobs)
		require.NoError(b, err)
		b.ReportMetric((cpu(b)-before).Seconds()*1000/images, "cpu-ms/image")
		require.NoError(b, eng.Close())
	}
	b.ReportMetric(peak(b), "peak-MB")
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process has had, in megabytes.
func peak(b *testing.B) (mega float64) {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(after, &mega)
	require.NoError(b, err)
	return mega / 1000
}
