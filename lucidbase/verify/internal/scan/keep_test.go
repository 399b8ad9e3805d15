package scan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDepth(t *testing.T) {
	_, err := Layer(t.Context(), layerOf(t, file(strings.Repeat("d/", 300)+"f", "x")))
	require.ErrorContains(t, err, "more than 256 directories deep")
	_, err = Layer(t.Context(), layerOf(t, file(strings.Repeat("d/", 200)+"f", "x")))
	require.NoError(t, err)
}

// TestScanRecordLines counts the lines of all RECORD files of a layer together.
func TestScanRecordLines(t *testing.T) {
	few := realLimits
	few.recordLines = 3
	two := "a,,\nb,,\n"
	f, err := read(t.Context(), bytesLayer(tarOf(t, file("s/a-1.dist-info/RECORD", two), file("s/b-1.dist-info/RECORD", two), file("s/c-1.dist-info/RECORD", two))), few)
	require.NoError(t, err)
	require.Len(t, f.Files[0].Record, 2)
	for _, file := range f.Files[1:] {
		require.Equal(t, "RECORD: more than 3 lines in all RECORD files", file.Problem)
		require.Empty(t, file.Record)
	}
}

// TestScanTooLarge judges the rest of the layer all the same.
func TestScanTooLarge(t *testing.T) {
	small := realLimits
	small.metadata, small.text = 100, 10
	data := tarOf(t,
		file("s/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n\n"+strings.Repeat("x", 100)),
		file("etc/passwd", "root:x:0:0:"), file("etc/group", "root:x:0:"))
	f, err := read(t.Context(), bytesLayer(data), small)
	require.NoError(t, err)
	require.Equal(t, "METADATA: more than 100 bytes", f.Files[0].Problem)
	require.Equal(t, "passwd: more than 10 bytes", f.Files[1].Problem)
	require.Equal(t, "root:x:0:", f.Files[2].Text)
}
