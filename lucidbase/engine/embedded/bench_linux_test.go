package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ten processes at once with one cache, as "go test ./..." has, against one process
// that builds the same ten graphs: each has two steps that run, and a state to begin
// with that has nothing.
func BenchmarkTenProcesses(b *testing.B) {
	requireEngine(b)
	const processes = 10
	f := newFixture(b)
	// work starts so many processes, with so many builds each, and returns how long all
	// took.
	work := func(processes, builds int) time.Duration {
		dir := b.TempDir()
		store := filepath.Join(dir, "store")
		for i := range processes * builds {
			require.NoError(b, os.CopyFS(fmt.Sprint(store, i), os.DirFS(f.Dir)))
		}
		require.NoError(b, os.CopyFS(store, os.DirFS(f.Dir)))
		start := time.Now()
		var jobs []*child
		for i := range processes {
			j := job{StateDir: dir, Fixture: f, Do: "modes", Mark: fmt.Sprint(dir, "-", i), Builds: builds}
			if j.Fixture.Dir = store; processes > 1 {
				j.Fixture.Dir += fmt.Sprint(i)
			}
			jobs = append(jobs, startJob(b, j, nil))
		}
		for _, j := range jobs {
			require.NotEmpty(b, j.result(b).Layers)
		}
		return time.Since(start)
	}
	var one, ten time.Duration
	for b.Loop() {
		one += work(1, processes)
		ten += work(processes, 1)
	}
	b.ReportMetric(one.Seconds()/float64(b.N), "s/one-process")
	b.ReportMetric(ten.Seconds()/float64(b.N), "s/ten-processes")
	b.ReportMetric(ten.Seconds()/one.Seconds(), "ratio")
}
