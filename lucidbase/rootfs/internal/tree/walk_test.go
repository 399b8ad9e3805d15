package tree

import (
	"archive/tar"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalk(t *testing.T) {
	files := Tree{}
	for name, target := range map[string]string{"usr/lib": "", "lib": "usr/lib", "a": "/lib/file", "up": "../x", "loop": "loop", "none": "usr/none", "back": "none/../file"} {
		e := &Entry{Name: name, Kind: tar.TypeSymlink, Target: target}
		if target == "" {
			e.Kind = tar.TypeDir
		}
		require.NoError(t, files.Add(e))
	}
	require.NoError(t, files.Add(File("usr/lib/file", "")))
	for name, c := range map[string]struct {
		at    string
		err   error // of Walk
		there bool
	}{
		"":             {"", nil, true},
		"usr/./lib/":   {"usr/lib", nil, true},
		"lib/file":     {"usr/lib/file", nil, true},
		"lib/../lib":   {"usr/lib", nil, true},
		"a":            {"usr/lib/file", nil, true},
		"lib/new":      {"usr/lib/new", nil, false},
		"none":         {"usr/none", nil, false},
		"none/new":     {"usr/none/new", nil, false},
		"back":         {"", ErrNowhere, false},
		"up":           {"", errLeaves, false},
		"loop":         {"", errLoop, false},
		"a/x":          {"", errFile, false},
		"usr/lib/file": {"usr/lib/file", nil, true},
	} {
		at, _, err := files.Walk(name)
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, c.at, at, name)
		require.Equal(t, c.there, files.Has(name), name)
	}
}
