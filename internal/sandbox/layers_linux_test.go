package sandbox

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func layerTar(t *testing.T, headers ...tar.Header) (data []byte, diffID string) {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		require.NoError(t, w.WriteHeader(&h))
		if h.Size > 0 {
			_, err := io.WriteString(w, h.Name)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	sum := sha256.Sum256(out.Bytes())
	return out.Bytes(), "sha256:" + hex.EncodeToString(sum[:])
}

// newStore is a store of which nothing is outside its directory but a file.
func newStore(t *testing.T) (store *layerStore, outside string) {
	t.Helper()
	if os.Geteuid() != 0 {
		require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "not root")
		t.Skip("not root: owners cannot be set")
	}
	dir := t.TempDir()
	outside = filepath.Join(dir, "outside")
	require.NoError(t, os.WriteFile(outside, []byte("untouched"), 0o644))
	store = &layerStore{dir: filepath.Join(dir, "layers")}
	require.NoError(t, os.Mkdir(store.dir, 0o755))
	return store, outside
}

func TestUnpack(t *testing.T) {
	store, _ := newStore(t)
	data, diffID := layerTar(t,
		tar.Header{Name: "app/", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 65532, Gid: 65532},
		tar.Header{Name: "app/run", Typeflag: tar.TypeReg, Mode: 0o4755},
		tar.Header{Name: "app/hard", Typeflag: tar.TypeLink, Linkname: "app/run", Mode: 0o4755},
		tar.Header{Name: "app/link", Typeflag: tar.TypeSymlink, Linkname: "../../outside"},
		tar.Header{Name: "etc/.wh.passwd", Typeflag: tar.TypeReg},
		tar.Header{Name: "var/.wh..wh..opq", Typeflag: tar.TypeReg},
	)
	there, err := store.use(diffID)
	require.NoError(t, err)
	require.False(t, there)
	require.NoError(t, store.unpack(t.Context(), diffID, bytes.NewReader(data)))
	there, err = store.use(diffID)
	require.NoError(t, err)
	require.True(t, there)

	root := store.path(strings.TrimPrefix(diffID, "sha256:"))
	var stat unix.Stat_t
	require.NoError(t, unix.Lstat(root+"/app", &stat))
	require.EqualValues(t, []uint32{unix.S_IFDIR | 0o750, 65532, 65532}, []uint32{stat.Mode, stat.Uid, stat.Gid})
	require.NoError(t, unix.Lstat(root+"/app/run", &stat))
	require.EqualValues(t, unix.S_IFREG|0o4755, stat.Mode)
	require.EqualValues(t, 2, stat.Nlink)
	require.NoError(t, unix.Lstat(root+"/etc/passwd", &stat))
	require.EqualValues(t, unix.S_IFCHR, stat.Mode&unix.S_IFMT, "overlayfs takes a device 0/0 for a removed file")
	require.EqualValues(t, 0, stat.Rdev)
	opaque := make([]byte, 8)
	n, err := unix.Getxattr(root+"/var", "user.overlay.opaque", opaque)
	require.NoError(t, err)
	require.Equal(t, "y", string(opaque[:n]))

	require.NoError(t, store.unpack(t.Context(), diffID, strings.NewReader("never read")), "it is there")
}

// What a layer names never leads out of its directory.
func TestUnpackStaysInside(t *testing.T) {
	for name, headers := range map[string][]tar.Header{
		"dots":             {{Name: "../../outside", Typeflag: tar.TypeReg}},
		"absolute":         {{Name: "/outside", Typeflag: tar.TypeReg}},
		"link":             {{Name: "up", Typeflag: tar.TypeSymlink, Linkname: "../.."}, {Name: "up/outside", Typeflag: tar.TypeReg}},
		"absolute link":    {{Name: "up", Typeflag: tar.TypeSymlink, Linkname: "OUTSIDE"}, {Name: "up", Typeflag: tar.TypeReg}},
		"hard link":        {{Name: "in", Typeflag: tar.TypeLink, Linkname: "../../outside"}, {Name: "in", Typeflag: tar.TypeReg}},
		"whiteout":         {{Name: "../../.wh.outside", Typeflag: tar.TypeReg}},
		"whiteout of dots": {{Name: "x/.wh...", Typeflag: tar.TypeReg}},
		"linked whiteout":  {{Name: "up", Typeflag: tar.TypeSymlink, Linkname: "../.."}, {Name: "up/.wh.outside", Typeflag: tar.TypeReg}},
	} {
		t.Run(name, func(t *testing.T) {
			store, outside := newStore(t)
			for i := range headers {
				headers[i].Mode = 0o777
				headers[i].Linkname = strings.ReplaceAll(headers[i].Linkname, "OUTSIDE", outside)
			}
			data, diffID := layerTar(t, headers...)
			err := store.unpack(t.Context(), diffID, bytes.NewReader(data))
			text, readErr := os.ReadFile(outside)
			require.NoError(t, readErr)
			require.Equal(t, "untouched", string(text), "unpacking: %v", err)
			entries, err := os.ReadDir(filepath.Dir(outside))
			require.NoError(t, err)
			require.Len(t, entries, 2)
		})
	}
}

func TestUnpackAllOrNothing(t *testing.T) {
	store, _ := newStore(t)
	data, diffID := layerTar(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644})
	other, _ := layerTar(t, tar.Header{Name: "b", Typeflag: tar.TypeReg, Mode: 0o644})
	for name, c := range map[string]struct {
		diffID string
		data   []byte
		want   string
	}{
		"another layer": {diffID, other, "its digest is sha256:"},
		"half of it":    {diffID, data[:512], "unexpected EOF"},
		"nothing":       {diffID, nil, "its digest is sha256:"},
		"no digest":     {"sha256:../../outside", data, "not a sha256 digest"},
		"more after it": {diffID, append(bytes.Clone(data), 1), "its digest is sha256:"},
	} {
		require.ErrorContains(t, store.unpack(t.Context(), c.diffID, bytes.NewReader(c.data)), c.want, name)
		there, _ := store.use(c.diffID)
		require.False(t, there, name)
	}
	// What a killed process left behind is in nobody's way.
	part := store.path(strings.TrimPrefix(diffID, "sha256:")) + ".part"
	require.NoError(t, os.Mkdir(part, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(part, "a"), nil, 0o644))
	require.NoError(t, store.unpack(t.Context(), diffID, bytes.NewReader(data)))
	require.NoDirExists(t, part)
}

func TestUnpackOnce(t *testing.T) {
	store, _ := newStore(t)
	data, diffID := layerTar(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Mode: 0o644})
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		other := store
		if i%2 == 1 {
			other = &layerStore{dir: store.dir} // another process
		}
		all.Go(func() { errs[i] = other.unpack(t.Context(), diffID, bytes.NewReader(data)) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func TestSweep(t *testing.T) {
	store, _ := newStore(t)
	old := time.Now().Add(-2 * unusedTime)
	var names []string
	for _, name := range []string{"new", "old", "used"} {
		data, diffID := layerTar(t, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644})
		one := &layerStore{dir: store.dir}
		require.NoError(t, one.unpack(t.Context(), diffID, bytes.NewReader(data)))
		file := strings.TrimPrefix(diffID, "sha256:")
		names = append(names, file)
		if name != "used" {
			require.NoError(t, one.lock(file).file.Close())
		}
		if name != "new" {
			require.NoError(t, os.Chtimes(store.path(file)+".lock", old, old))
		}
	}
	store.sweep()
	require.DirExists(t, store.path(names[0]))
	require.NoDirExists(t, store.path(names[1]))
	require.DirExists(t, store.path(names[2]))
}

// Layers are listed with what they are of size, also those that were unpacked when none
// was written down, and removed unless somebody uses them.
func TestRemove(t *testing.T) {
	store, _ := newStore(t)
	cache := filepath.Dir(store.dir)
	dirs, err := cacheDirs(cache)
	require.NoError(t, err)
	store.dir = dirs.Layers
	require.NoError(t, os.MkdirAll(store.dir, 0o755))
	var ids []string
	for _, name := range []string{"used", "unused", "older"} {
		data, diffID := layerTar(t, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644})
		require.NoError(t, store.unpack(t.Context(), diffID, bytes.NewReader(data)))
		ids = append(ids, diffID)
	}
	for _, diffID := range ids[1:] { // no process has them
		name, err := layerName(diffID)
		require.NoError(t, err)
		require.NoError(t, store.lock(name).file.Close())
	}
	older, err := layerName(ids[2])
	require.NoError(t, err)
	require.NoError(t, os.Truncate(store.path(older)+".lock", 0))
	layers, err := Layers(cache)
	require.NoError(t, err)
	sizes := map[string]int64{}
	for _, l := range layers {
		sizes[l.DiffID] = l.Size
		require.WithinDuration(t, time.Now(), l.Used, time.Minute)
	}
	require.Equal(t, map[string]int64{ids[0]: 2048, ids[1]: 2048, ids[2]: int64(len("older"))}, sizes)

	inUse, err := Remove(t.Context(), cache, ids)
	require.NoError(t, err)
	require.Len(t, inUse, 1)
	require.Equal(t, ids[0], inUse[0].DiffID)
	layers, err = Layers(cache)
	require.NoError(t, err)
	require.Len(t, layers, 1)
}
