package e2e

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// entry is a file of a made-up image; its header's zero values are a root-owned
// regular file of mode 0644.
type entry struct {
	tar.Header
	content string
}

func madeTree(t *testing.T, entries ...entry) tree {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.Header
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.ModTime.IsZero() {
			h.ModTime = lucidbase.Epoch()
		}
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(e.content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	files := tree{dir: t.TempDir(), entries: map[string]*tar.Header{}}
	root, err := os.OpenRoot(files.dir)
	require.NoError(t, err)
	defer root.Close()
	require.NoError(t, files.add(root, tar.NewReader(&b)))
	return files
}

func file(name, content string) entry { return entry{tar.Header{Name: name}, content} }

func link(name, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}, ""}
}

func TestWrongTimes(t *testing.T) {
	late := lucidbase.Epoch().Add(time.Second)
	files := madeTree(t, file("a", ""), entry{tar.Header{Name: "b", ModTime: late}, ""})
	require.Equal(t, []string{"layer 0: b: 2000-01-01 00:00:01 +0000 UTC"}, wrongTimes(files))
}

// TestUnpackTwoLayers has a higher layer replace what a lower one has.
func TestUnpackTwoLayers(t *testing.T) {
	files := madeTree(t, link("a", "b"), file("b", "lower"), file("c", "lower"))
	require.NoError(t, os.Remove(filepath.Join(files.dir, "c")))
	root, err := os.OpenRoot(files.dir)
	require.NoError(t, err)
	defer root.Close()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644, Size: 6}))
	_, err = w.Write([]byte("higher"))
	require.NoError(t, err)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: ".wh.b", Typeflag: tar.TypeReg, Mode: 0o644}))
	require.NoError(t, w.Close())

	require.ErrorContains(t, files.add(root, tar.NewReader(&b)), "b: removes a file of a lower layer")
	lower, err := os.ReadFile(filepath.Join(files.dir, "b"))
	require.NoError(t, err)
	require.Equal(t, "lower", string(lower)) // not written through the link that was there
	higher, err := os.ReadFile(filepath.Join(files.dir, "a"))
	require.NoError(t, err)
	require.Equal(t, "higher", string(higher))
}
