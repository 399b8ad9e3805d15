package alpine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// flatten applies layers of the test, the lowest first; a file's content is the
// number of its layer and its name.
func flatten(t testing.TB, layers ...[]tar.Header) (*flat, error) {
	t.Helper()
	s, err := tree.NewSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	f := &flat{Tree: tree.Tree{}, from: "test", spool: s}
	for i, entries := range layers {
		content := map[string]string{}
		for _, h := range entries {
			content[h.Name] = fmt.Sprint(i+1, " ", h.Name)
		}
		if err := f.apply(tar.NewReader(bytes.NewReader(debtest.Tarball(t, content, entries)))); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// show returns each path with what is there.
func (f *flat) show(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, e := range f.Tree {
		switch e.Kind {
		case tar.TypeDir:
			out[name] = "dir"
		case tar.TypeSymlink:
			out[name] = "-> " + e.Target
		default:
			data, err := io.ReadAll(e.Content.Reader())
			require.NoError(t, err)
			out[name] = string(data)
		}
	}
	return out
}

func TestFlatten(t *testing.T) {
	for name, c := range map[string]struct {
		layers [][]tar.Header
		want   map[string]string
	}{
		"a later layer wins": {
			[][]tar.Header{{debtest.Regular("a", 0o644), debtest.Regular("b", 0o644)}, {debtest.Regular("./b", 0o644)}},
			map[string]string{"a": "1 a", "b": "2 ./b"},
		},
		"whiteout of a file": {
			[][]tar.Header{{debtest.Regular("d/a", 0o644), debtest.Regular("d/b", 0o644)}, {debtest.Regular("d/.wh.a", 0o644)}},
			map[string]string{"d": "dir", "d/b": "1 d/b"},
		},
		"whiteout of a directory": {
			[][]tar.Header{{debtest.Regular("d/e/a", 0o644), debtest.Regular("d/eb", 0o644)}, {debtest.Regular("d/.wh.e", 0o644)}},
			map[string]string{"d": "dir", "d/eb": "1 d/eb"},
		},
		"a whiteout leaves its own layer alone, whatever the order": {
			[][]tar.Header{{debtest.Regular("d/a", 0o644), debtest.Regular("d/b", 0o644)}, {debtest.Dir("d"), debtest.Regular("d/a", 0o644), debtest.Regular("d/.wh.a", 0o644), debtest.Regular("d/.wh..wh..opq", 0o644)}},
			map[string]string{"d": "dir", "d/a": "2 d/a"},
		},
		"opaque root": {
			[][]tar.Header{{debtest.Regular("d/a", 0o644)}, {debtest.Regular(".wh..wh..opq", 0o644), debtest.Regular("b", 0o644)}},
			map[string]string{"b": "2 b"},
		},
		"a driver's own": {
			[][]tar.Header{{debtest.Regular("a", 0o644)}, {debtest.Regular(".wh..wh.plnk", 0o644)}},
			map[string]string{"a": "1 a"},
		},
		"a file instead of a directory": {
			[][]tar.Header{{debtest.Regular("d/a", 0o644), debtest.Regular("da", 0o644)}, {debtest.Regular("d", 0o644)}},
			map[string]string{"d": "2 d", "da": "1 da"},
		},
		"a directory instead of a link": {
			[][]tar.Header{{debtest.Dir("x"), debtest.Link("d", "x")}, {debtest.Dir("d"), debtest.Regular("d/a", 0o644)}},
			map[string]string{"x": "dir", "d": "dir", "d/a": "2 d/a"},
		},
		"through a link, as on a merged usr": {
			[][]tar.Header{{debtest.Dir("usr/lib"), debtest.Link("lib", "usr/lib")}, {debtest.Regular("lib/a", 0o644), debtest.Regular("lib/.wh.b", 0o644)}},
			map[string]string{"usr": "dir", "usr/lib": "dir", "lib": "-> usr/lib", "usr/lib/a": "2 lib/a"},
		},
		"a hard link to a lower layer": {
			[][]tar.Header{{debtest.Regular("a", 0o644)}, {debtest.HardLink("b", "a")}},
			map[string]string{"a": "1 a", "b": "1 a"},
		},
		"devices are left out": {
			[][]tar.Header{{{Name: "dev/null", Typeflag: tar.TypeChar}, {Name: "p", Typeflag: tar.TypeFifo}, debtest.Regular("a", 0o644)}},
			map[string]string{"a": "1 a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := flatten(t, c.layers...)
			require.NoError(t, err)
			require.Equal(t, c.want, f.show(t))
		})
	}
}

func TestFlattenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		layers [][]tar.Header
		says   string
	}{
		"a path above the root":      {[][]tar.Header{{debtest.Regular("../a", 0o644)}}, "leaves the root"},
		"an absolute path":           {[][]tar.Header{{debtest.Regular("/etc/passwd", 0o644)}}, "is not a clean path"},
		"a whiteout above the root":  {[][]tar.Header{{debtest.Regular("../.wh.a", 0o644)}}, "leaves the root"},
		"a whiteout of a directory":  {[][]tar.Header{{debtest.Regular("d/.wh...", 0o644)}}, "hides no file"},
		"a whiteout of nothing":      {[][]tar.Header{{debtest.Regular("d/.wh.", 0o644)}}, "hides no file"},
		"below a whiteout":           {[][]tar.Header{{debtest.Regular(".wh.d/a", 0o644)}}, "would remove a file"},
		"through a link to above":    {[][]tar.Header{{debtest.Link("d", "../../x")}, {debtest.Regular("d/a", 0o644)}}, "leaves the root"},
		"through a link to itself":   {[][]tar.Header{{debtest.Link("d", "d")}, {debtest.Regular("d/a", 0o644)}}, "goes in a circle"},
		"below a file":               {[][]tar.Header{{debtest.Regular("f", 0o644), debtest.Regular("f/a", 0o644)}}, "no directory"},
		"a hard link to above":       {[][]tar.Header{{debtest.HardLink("a", "../b")}}, "leaves the root"},
		"a hard link to what is not": {[][]tar.Header{{debtest.HardLink("a", "b")}}, "which is no file before it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := flatten(t, c.layers...)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// What an image unpacks to is bounded before it is written.
func TestFlattenIsBounded(t *testing.T) {
	s, err := tree.NewSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "big", Typeflag: tar.TypeReg, Size: maxImageBytes + 1}))
	f := &flat{Tree: tree.Tree{}, spool: s}
	require.ErrorContains(t, f.apply(tar.NewReader(&b)), "unpacks to more than")

	f = &flat{Tree: tree.Tree{}, spool: s, files: maxImageFiles}
	require.ErrorContains(t, f.apply(tar.NewReader(bytes.NewReader(debtest.Tarball(t, nil, []tar.Header{debtest.Dir("d")})))), "more than 100000 entries")
}

// FuzzFlatten: whatever two layers hold, nothing lies outside of the root.
func FuzzFlatten(f *testing.F) {
	f.Add("usr/lib/", "lib", "usr/lib", "lib/.wh.a")
	f.Add("a", "b", "../..", "b/c")
	f.Fuzz(func(t *testing.T, first, name, target, second string) {
		var lower, upper bytes.Buffer
		for buffer, headers := range map[*bytes.Buffer][]tar.Header{
			&lower: {{Name: first, Typeflag: tar.TypeReg}, {Name: name, Linkname: target, Typeflag: tar.TypeSymlink}},
			&upper: {{Name: second, Typeflag: tar.TypeReg}, {Name: first, Linkname: second, Typeflag: tar.TypeLink}},
		} {
			w := tar.NewWriter(buffer)
			for _, h := range headers {
				if w.WriteHeader(&h) != nil {
					t.Skip()
				}
			}
			require.NoError(t, w.Close())
		}
		s, err := tree.NewSpool(t.Context(), t.TempDir())
		require.NoError(t, err)
		defer s.Close()
		flat := &flat{Tree: tree.Tree{}, spool: s}
		if flat.apply(tar.NewReader(&lower)) != nil || flat.apply(tar.NewReader(&upper)) != nil {
			return
		}
		for name, e := range flat.Tree {
			clean, err := tree.CleanName(name)
			require.NoError(t, err)
			require.Equal(t, name, clean)
			require.Equal(t, name, e.Name)
			if dir := tree.Parent(name); dir != "" {
				require.Equal(t, byte(tar.TypeDir), flat.Tree[dir].Kind, name)
			}
		}
	})
}
