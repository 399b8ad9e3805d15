package scan

import (
	"bytes"
	"encoding/gob"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzScan reads any bytes as a layer: an error or facts that survive being kept.
func FuzzScan(f *testing.F) {
	f.Add(tarOf(f, file("a", "x"), hardlink("b", "a"), link("c", "../.."), device("d", '3'), whiteout("e"), opaque("f")))
	f.Add(tarOf(f, file("s/a-1.dist-info/RECORD", "a,sha256=A,1\n"), file("s/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n"),
		file("a.pyc", "\xa7\x0d\r\n\x03\x00\x00\x00abcdefgh"), file("a.py", "import b"), file("bin/x", "#!/bin/sh\n"),
		file("lib.so", string(craftELF(elfSpec{Needed: []string{"libc.so.6"}})))))
	f.Add(tarOf(f, file("n\xff\xfe", "-----BEGIN PRIVATE KEY-----\nAAAA"), file("x", "").WithXattr("security.capability", "\x01\x00")))
	f.Add([]byte{})
	limits := realLimits
	limits.size, limits.free = 1<<24, 1<<20
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := read(t.Context(), bytesLayer(data), limits)
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
