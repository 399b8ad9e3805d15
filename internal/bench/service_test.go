//go:build linux

package bench

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	base "github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// listNames are ten of the lists that services have, with ten locks.
var listNames = strings.Fields("gateway orders flask django worker queue wallet search admin monitor")

func readLock(tb testing.TB, list string) lock.Packages {
	tb.Helper()
	locked, err := lock.Read(os.DirFS("../e2e/testdata/lists"), list+".lock.txt")
	require.NoError(tb, err)
	return locked
}

func readLocks(tb testing.TB) (locks []lock.Packages) {
	tb.Helper()
	for _, list := range listNames {
		locks = append(locks, readLock(tb, list))
	}
	return locks
}

// service is one of many: its source differs from all others'.
func service(name string, locked lock.Packages, line string) variants.Service {
	source := fstest.MapFS{"__init__.py": {}, "main.py": {Data: []byte("import json\n\nprint(json.dumps({'service': '" + name + "', 'line': '" + line + "'}))\n")}}
	for i := range 30 {
		source[fmt.Sprintf("part%d.py", i)] = &fstest.MapFile{Data: []byte(strings.Repeat("def f(x):\n    return x + 1\n\n\n", 20))}
	}
	return variants.Service{
		Name: name, Base: variants.Python{}, Lock: locked,
		Source:  []variants.Source{{From: variants.FS(source), To: "/app/src"}},
		Command: []string{"python", "-m", "src.main"},
		Port:    8000, Health: variants.Health{TCP: true},
	}
}

func openEngine(b *testing.B, cache string) *engine.Engine {
	b.Helper()
	eng, err := engine.Open(b.Context(), "", engine.WithCacheDir(cache))
	require.NoError(b, err)
	return eng
}

// One line of a service's source is another: built for both platforms and pushed.
func BenchmarkSourceLine(b *testing.B) {
	r := testregistry.New(b)
	eng := openEngine(b, filepath.Join(b.TempDir(), "cache"))
	locked := readLock(b, "gateway")
	push := func(line string) *engine.Result {
		res, err := eng.Build(b.Context(), engine.Job{Spec: service("gateway", locked, line), To: engine.Push(r.Ref("lucid/gateway"))})
		require.NoError(b, err)
		return res
	}
	push("before")
	before, used := r.Size(), cpu(b)
	for i := 0; b.Loop(); i++ {
		r.Reset()
		push(fmt.Sprint("after ", i))
		sent := map[string]int{}
		for _, q := range r.Requests() {
			if q.Method == http.MethodPut && q.Status < 300 {
				sent[strings.Split(q.Path, "/")[4]]++
			}
		}
		require.Equal(b, map[string]int{"blobs": 3, "manifests": 4}, sent, "the source layer and two configs; two manifests, and the index by digest and by tag")
	}
	bytes := (r.Size() - before) / int64(b.N)
	b.ReportMetric(float64(bytes)/1e3, "kB-pushed")
	b.ReportMetric((cpu(b)-used).Seconds()/float64(b.N), "cpu-s")
	require.Less(b, bytes, int64(200_000))
	require.NoError(b, eng.Close())
}

// A hundred services on one base with ten different locks, in one process: what each of
// ninety takes, built at once, when every lock was seen before.
func BenchmarkHundredServices(b *testing.B) {
	r := testregistry.New(b)
	locks := readLocks(b)
	for b.Loop() {
		b.StopTimer()
		eng := openEngine(b, filepath.Join(b.TempDir(), "cache"))
		build := func(from, to int) {
			var jobs []engine.Job
			for i := from; i < to; i++ {
				name := fmt.Sprintf("service-%d", i)
				jobs = append(jobs, engine.Job{Spec: service(name, locks[i%len(locks)], ""), To: engine.Push(r.Ref("lucid/" + name))})
			}
			_, err := eng.BuildAll(b.Context(), jobs)
			require.NoError(b, err)
		}
		build(0, len(locks))
		used, own, start := cpu(b), clientCPU(b), time.Now()
		b.StartTimer()
		build(len(locks), 100)
		b.StopTimer()
		each := func(d time.Duration) float64 { return d.Seconds() / float64(100-len(locks)) }
		b.ReportMetric(each(time.Since(start)), "s-each")
		b.ReportMetric(each(cpu(b)-used), "cpu-s-each")
		b.ReportMetric(each(clientCPU(b)-own), "cpu-s-client-each")
		b.ReportMetric(float64(r.Size())/1e6, "MB-registry")
		reportPeaks(b)
		require.NoError(b, eng.Close())
		b.StartTimer()
	}
}

// reportPeaks prints the most memory that this program had, with all that the registry
// holds, and that its BuildKit had.
func reportPeaks(b *testing.B) {
	b.Helper()
	for _, dir := range processes(b) {
		status, err := os.ReadFile(filepath.Join(dir, "status"))
		require.NoError(b, err)
		_, after, _ := strings.Cut(string(status), "VmHWM:")
		var kilo float64
		_, err = fmt.Sscan(after, &kilo)
		require.NoError(b, err)
		unit := "MB-buildkit"
		if dir == fmt.Sprintf("/proc/%d", os.Getpid()) {
			unit = "MB-peak"
		}
		b.ReportMetric(kilo/1000, unit)
	}
}

// A thousand graphs of services with ten different locks.
func BenchmarkThousandGraphs(b *testing.B) {
	var all []variants.Service
	locks := readLocks(b)
	for i := range 1000 {
		all = append(all, service(fmt.Sprintf("service-%d", i), locks[i%len(locks)], ""))
	}
	before := cpu(b)
	for b.Loop() {
		for i, s := range all {
			_, err := s.Graph(base.Platforms{Target: base.AllPlatforms()[i%2], Build: base.LinuxAMD64})
			require.NoError(b, err)
		}
	}
	b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s")
}

// cpu is the time that this program has used, in all its processes and what they ran:
// that of the clock depends on what else the machine does.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	ticks := 0
	for _, dir := range processes(b) {
		text, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has just ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		for _, field := range strings.Fields(rest)[11:15] { // utime, stime, and those of children that ended
			n, err := strconv.Atoi(field)
			require.NoError(b, err)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
}

// clientCPU is what this process alone has used: the client, and here the registry.
func clientCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// processes are the directories in /proc of this program and of its BuildKit.
func processes(b *testing.B) (dirs []string) {
	b.Helper()
	self, err := os.Readlink("/proc/self/exe")
	require.NoError(b, err)
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(b, err)
	for _, dir := range all {
		if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil && exe == self {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
