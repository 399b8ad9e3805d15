package verify

import (
	"bytes"
	"encoding/gob"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzScan gives any bytes as a layer: an error or facts that survive being kept.
func FuzzScan(f *testing.F) {
	f.Add(tarOf(f, file("a", "x"), hardlink("b", "a"), link("c", "../.."), device("d", '3'), whiteout("e"), opaque("f")))
	f.Add(tarOf(f, file("s/a-1.dist-info/RECORD", "a,sha256=A,1\n"), file("s/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n"),
		file("a.pyc", "\xa7\x0d\r\n\x03\x00\x00\x00abcdefgh"), file("a.py", "import b"), file("bin/x", "#!/bin/sh\n"),
		file("lib.so", string(craftELF(elfSpec{needed: []string{"libc.so.6"}})))))
	f.Add(tarOf(f, file("n\xff\xfe", "-----BEGIN PRIVATE KEY-----\nAAAA"), file("x", "").xattr("security.capability", "\x01\x00")))
	f.Add([]byte{})
	limits := realLimits
	limits.size, limits.free = 1<<24, 1<<20
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := scan(t.Context(), bytesLayer(data), limits)
		if err != nil {
			return
		}
		facts.Blob = facts.DiffID
		var kept bytes.Buffer
		require.NoError(t, gob.NewEncoder(&kept).Encode(facts))
		var back Facts
		require.NoError(t, gob.NewDecoder(&kept).Decode(&back))
		require.Equal(t, len(facts.Files), len(back.Files))
		for i, file := range facts.Files {
			require.Equal(t, byte('/'), file.Path[0])
			require.Equal(t, file.Path, back.Files[i].Path)
			require.Equal(t, file.Link, back.Files[i].Link)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte("Name: a\nVersion: 1\nRequires-Dist: b\n ; c\n\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseMetadata(data)
		require.NotNil(t, d)
		require.Equal(t, err != nil, d.Name == "" || d.Version == "")
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("a,sha256=A,1\n\"b,c\",,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, _, _ := parseRecord(data, 100) // whatever it is, no panic and these:
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
		for _, tag := range parseWheel(data) {
			require.NotContains(t, tag, "\n")
		}
	})
}
