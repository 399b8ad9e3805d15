package python

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzMetadata(f *testing.F) {
	f.Add([]byte("Name: a\nVersion: 1\nRequires-Dist: b\n ; c\n\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseMetadata(data)
		require.NotNil(t, d)
		require.Equal(t, err != nil, d.Name == "" || d.Version == "")
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("a,sha256=A,1\n\"b,c\",,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, _, _ := ParseRecord(data, 100) // whatever it is, no panic and these:
		require.LessOrEqual(t, len(r.Entries), 100)
		for _, e := range r.Entries {
			require.NotEmpty(t, e.Path)
			require.GreaterOrEqual(t, e.Size, int64(-1))
		}
	})
}

func FuzzWheelTags(f *testing.F) {
	f.Add([]byte("Wheel-Version: 1.0\nTag: py3-none-any\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, tag := range ParseWheelTags(data) {
			require.NotContains(t, tag, "\n")
		}
	})
}
