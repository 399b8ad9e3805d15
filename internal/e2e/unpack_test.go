package e2e

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// tree is an unpacked image.
type tree struct {
	// dir holds the files.
	dir string
	// layers are the entries of each layer, lowest first, as its tar has them.
	layers [][]*tar.Header
	// entries are the files that the layers give together, by clean relative path.
	entries map[string]*tar.Header
}

// unpack writes an image's layers to a directory, with owners and modes where
// this process may set them.
func unpack(t *testing.T, img v1.Image) tree {
	t.Helper()
	out := tree{dir: t.TempDir(), entries: map[string]*tar.Header{}}
	root, err := os.OpenRoot(out.dir)
	require.NoError(t, err)
	defer root.Close()
	require.NoError(t, root.Chmod(".", 0o755)) // whatever the umask is
	layers, err := img.Layers()
	require.NoError(t, err)
	for _, layer := range layers {
		rc, err := layer.Uncompressed()
		require.NoError(t, err)
		require.NoError(t, out.add(root, tar.NewReader(rc)))
		require.NoError(t, rc.Close())
	}
	return out
}

func (out *tree) add(root *os.Root, layer *tar.Reader) error {
	var headers []*tar.Header
	for {
		h, err := layer.Next()
		if errors.Is(err, io.EOF) {
			out.layers = append(out.layers, headers)
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading layer %d: %w", len(out.layers), err)
		}
		name := path.Clean(strings.TrimPrefix(h.Name, "/"))
		// A removed file still ships, in the layer below.
		if strings.HasPrefix(path.Base(name), ".wh.") {
			return fmt.Errorf("unpacking layer %d: %s: removes a file of a lower layer", len(out.layers), name)
		}
		headers = append(headers, h)
		out.entries[name] = h
		if err := writeEntry(root, name, h, layer); err != nil {
			return fmt.Errorf("unpacking layer %d: %s: %w", len(out.layers), name, err)
		}
	}
}

func writeEntry(root *os.Root, name string, h *tar.Header, content io.Reader) error {
	if name == "." {
		return root.Chmod(".", h.FileInfo().Mode())
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if old, err := root.Lstat(name); err == nil && (!old.IsDir() || h.Typeflag != tar.TypeDir) {
		if err := root.RemoveAll(name); err != nil {
			return err
		}
	}
	if err := create(root, name, h, content); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeLink {
		return nil
	}
	if os.Geteuid() == 0 {
		if err := root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	return root.Chmod(name, h.FileInfo().Mode())
}

func create(root *os.Root, name string, h *tar.Header, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return root.Link(path.Clean(strings.TrimPrefix(h.Linkname, "/")), name)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close())
	}
	return fmt.Errorf("entry of type %q", h.Typeflag)
}
