package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/rules"
)

// BenchmarkWorks applies the rules of the group to an image as large as our own:
// 80 distributions of 100 modules with a library each. It leaves out overlay.
func BenchmarkWorks(b *testing.B) {
	layer := cleanLayer()
	for i := range 80 {
		var files []tarEntry
		for j := range 100 {
			files = append(files, file(fmt.Sprintf("p%d/m%d.py", i, j), "VALUE = 1\n"))
		}
		files = append(files, file(fmt.Sprintf("p%d/_c.abi3.so", i), string(craftELF(elfSpec{Needed: []string{fmt.Sprintf("libx%d.so.1", i)}, Runpath: "$ORIGIN/lib"}))),
			file(fmt.Sprintf("p%d/lib/libx%d.so.1", i, i), string(craftELF(elfSpec{}))))
		layer = append(layer, distribution(strings.TrimSuffix(sitePath, "/"), fmt.Sprintf("p%d", i), "1.0", files...)...)
		layer = append(layer, needing(strings.TrimSuffix(sitePath, "/"), fmt.Sprintf("q%d", i), "1.0",
			"Requires-Python: >=3.8", "Requires-Dist: tiny>=1.0; python_version >= '3.9'", fmt.Sprintf(`Requires-Dist: p%d (<2); extra == "fast"`, i)))
	}
	img := imageOf(b, cleanConfig(), layer)
	config, err := img.ConfigFile()
	require.NoError(b, err)
	layers, err := img.Layers()
	require.NoError(b, err)
	facts, err := verify.ScanAll(b.Context(), layers, nil)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		im := overlay.New(config, facts, overlay.Want{}) // which remembers what it was asked
		b.StartTimer()
		for _, r := range rules.Works {
			r.Check(im)
		}
	}
}
