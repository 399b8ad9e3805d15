//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// A CI machine without state, the whole command: a service for both platforms, of which
// another machine left the steps in a registry. It is pushed.
func BenchmarkSharedCache(b *testing.B) {
	bin, r, dir := lucidbase(b), testregistry.New(b), b.TempDir()
	write := func(name, text string) {
		require.NoError(b, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, ext := range []string{"txt", "toml"} {
		data, err := os.ReadFile("../e2e/testdata/lists/gateway.lock." + ext)
		require.NoError(b, err)
		write("gateway.lock."+ext, string(data))
	}
	write("lucidbase.yaml", `services:
  gateway:
    base: python-base
    lock: gateway.lock.txt
    source: [{from: src, to: /app/src}]
    command: [python, -m, src.main]
`)
	require.NoError(b, os.Mkdir(filepath.Join(dir, "src"), 0o700))
	machine := func(b *testing.B, args ...string) {
		b.Helper()
		cmd := exec.Command(bin, append([]string{"build", "-f", "lucidbase.yaml", "--cache-dir", b.TempDir(), "--push", "--registry", r.Host + "/lucid"}, args...)...)
		cmd.Dir = dir
		usage := run(b, cmd)
		b.ReportMetric(float64(usage.Utime.Nano()+usage.Stime.Nano())/1e9, "cpu-s")
	}
	ref := r.Ref("lucid/cache")
	write("src/main.py", "print('first')\n")
	machine(b, "--cache-to", "type=registry,ref="+ref+",mode=max")
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			machine(b, "--cache-from", ref)
		}
	})
	b.Run("source line", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			write("src/main.py", fmt.Sprintf("print('%d')\n", n))
			machine(b, "--cache-from", ref)
		}
	})
}
