package verify

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// countedLayer counts how often it is read.
type countedLayer struct {
	v1.Layer
	reads *int
}

func (l countedLayer) Uncompressed() (io.ReadCloser, error) {
	*l.reads++
	return l.Layer.Uncompressed()
}

func TestStoreReadsOnce(t *testing.T) {
	for name, store := range map[string]Store{"memory": &Memory{}, "directory": Dir(filepath.Join(t.TempDir(), "facts"))} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			layers := []v1.Layer{countedLayer{layerOf(t, cleanLayer()...), &reads}}
			first, err := ScanAll(t.Context(), layers, store)
			require.NoError(t, err)
			again, err := ScanAll(t.Context(), layers, store)
			require.NoError(t, err)
			require.Equal(t, 1, reads)
			require.Equal(t, first, again)
		})
	}
}

// A file of the store that is broken, of another format or of another layer
// counts for nothing.
func TestStoreBroken(t *testing.T) {
	layer := layerOf(t, file("/a", "x"))
	facts, err := scan.Layer(t.Context(), layer)
	require.NoError(t, err)
	for name, spoil := range map[string]func(d Dir){
		"gone": func(d Dir) { require.NoError(t, os.Remove(d.path(facts.DiffID))) },
		"flipped": func(d Dir) {
			data, err := os.ReadFile(d.path(facts.DiffID))
			require.NoError(t, err)
			at := bytes.Index(data, []byte("/a")) // the name of the layer's file
			require.Positive(t, at)
			data[at+1] ^= 1
			require.NoError(t, os.WriteFile(d.path(facts.DiffID), data, 0o644))
		},
		"directory": func(d Dir) {
			require.NoError(t, os.Remove(d.path(facts.DiffID)))
			require.NoError(t, os.MkdirAll(filepath.Join(d.path(facts.DiffID), "x"), 0o755))
		},
		"short":  func(d Dir) { require.NoError(t, os.Truncate(d.path(facts.DiffID), 20)) },
		"empty":  func(d Dir) { require.NoError(t, os.Truncate(d.path(facts.DiffID), 0)) },
		"format": func(d Dir) { f := facts; f.Format++; require.NoError(t, d.Save(t.Context(), f)) },
		"another": func(d Dir) {
			f := facts
			f.DiffID.Hex = "00" + f.DiffID.Hex[2:]
			require.NoError(t, d.Save(t.Context(), f))
			require.NoError(t, os.Rename(d.path(f.DiffID), d.path(facts.DiffID)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := Dir(t.TempDir())
			require.NoError(t, d.Save(t.Context(), facts))
			got, ok := d.Load(t.Context(), facts.DiffID)
			require.True(t, ok)
			require.Equal(t, facts, got)
			spoil(d)
			_, ok = d.Load(t.Context(), facts.DiffID)
			require.False(t, ok)
			require.NoError(t, d.Save(t.Context(), facts), "it is made again")
			_, ok = d.Load(t.Context(), facts.DiffID)
			require.True(t, ok)
		})
	}
}

// What was used lately is the last that a full cache drops.
func TestStoreTouches(t *testing.T) {
	facts, err := scan.Layer(t.Context(), layerOf(t, file("/a", "x")))
	require.NoError(t, err)
	d := Dir(t.TempDir())
	require.NoError(t, d.Save(t.Context(), facts))
	old := time.Unix(1e9, 0)
	require.NoError(t, os.Chtimes(d.path(facts.DiffID), old, old))
	_, ok := d.Load(t.Context(), facts.DiffID)
	require.True(t, ok)
	info, err := os.Stat(d.path(facts.DiffID))
	require.NoError(t, err)
	require.True(t, info.ModTime().After(old))
}

// A config that claims the diff ID of a layer that was found clean does not get
// another layer through.
func TestStoreDoesNotBelieveConfig(t *testing.T) {
	store := &Memory{}
	clean := imageOf(t, cleanConfig(), cleanLayer())
	r, err := Image(t.Context(), clean, Contract{}, store)
	require.NoError(t, err)
	require.Empty(t, r.Findings)

	bad := imageOf(t, cleanConfig(), append(cleanLayer(), program("/usr/bin/dash", "x")))
	config, err := clean.ConfigFile()
	require.NoError(t, err)
	bad, err = mutate.ConfigFile(bad, config)
	require.NoError(t, err)
	r, err = Image(t.Context(), bad, Contract{}, store)
	require.NoError(t, err)
	var found []string
	for _, f := range r.Findings {
		found = append(found, f.Rule)
	}
	require.Contains(t, found, "shell")
	require.Contains(t, found, "diff-id")
}
