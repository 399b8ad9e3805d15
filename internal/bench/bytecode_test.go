//go:build linux

package bench

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

const fastapi = `from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float = 0


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/items")
def create(item: Item) -> Item:
    return item
`

// The time from the start of FastAPI to its first answer of 200, and the same with
// the same files but for bytecode, on a root that Python cannot write it to.
func BenchmarkFirstAnswer(b *testing.B) {
	with := lucidtest.Image(b, variants.Service{
		Name: "api", Base: variants.Python{}, Lock: readLock(b, "gateway"),
		Source:  []variants.Source{{From: variants.FS(fstest.MapFS{"main.py": {Data: []byte(fastapi)}}), To: "/app/app"}},
		Command: []string{"python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"},
		Port:    8000,
	}).Image
	without := withoutBytecode(b, with)
	times, memory := map[string][]time.Duration{}, map[string]float64{}
	for b.Loop() {
		for range rounds { // in turn, as the machine may do other things
			for name, img := range map[string]v1.Image{"with": with, "without": without} {
				start := time.Now()
				c := lucidtest.RunImage(b, img, lucidtest.WaitHTTP("/health"), lucidtest.Timeout(2*time.Minute))
				times[name] = append(times[name], time.Since(start))
				memory[name] = memoryMB(b, c)
				c.Stop()
			}
		}
	}
	median := func(name string) float64 {
		slices.Sort(times[name])
		return times[name][len(times[name])/2].Seconds()
	}
	for name, used := range memory {
		b.ReportMetric(used, "MB-"+name)
	}
	b.ReportMetric(median("with"), "s-with")
	b.ReportMetric(median("without"), "s-without")
	b.ReportMetric(median("without")/median("with"), "times-sooner")
}

const rounds = 5

// memoryMB is the most memory that the server has had.
func memoryMB(b *testing.B, c *lucidtest.Container) float64 {
	b.Helper()
	out := c.Exec("python", "-c", "import glob\nprint(max(int(l.split()[1]) for p in glob.glob('/proc/[0-9]*/status') if '-m\\0uvicorn' in open(p[:-6]+'cmdline').read() for l in open(p) if l.startswith('VmHWM')))")
	kB, err := strconv.Atoi(strings.TrimSpace(out.Stdout))
	require.NoError(b, err, out)
	return float64(kB) / 1024
}

// withoutBytecode deletes every __pycache__ of an image.
func withoutBytecode(b *testing.B, img v1.Image) v1.Image {
	b.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	seen := map[string]bool{}
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(b, err)
		before, _, found := strings.Cut(path.Clean("/"+h.Name)+"/", "/__pycache__/")
		if !found || seen[before] {
			continue
		}
		seen[before] = true
		require.NoError(b, w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(before+"/.wh.__pycache__", "/"), Typeflag: tar.TypeReg, Mode: 0o644}))
	}
	require.NoError(b, w.Close())
	require.NotEmpty(b, seen)
	added, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	require.NoError(b, err)
	without, err := mutate.AppendLayers(img, added)
	require.NoError(b, err)
	return without
}
