package lucidtest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// packagesTime is how long packages stay as they were resolved. A peer is there to talk
// to: newer versions are wanted some time, and the same ones in one day's tests.
const packagesTime = 7 * 24 * time.Hour

// packagesFormat is raised when a layer of the same packages becomes another: what was
// kept of it is passed over then.
const packagesFormat = 1

// locked is what names of packages were resolved to.
type locked struct {
	Suites []lock.Suite `json:"suites"`
	Layer  lock.Layer   `json:"layer"`
}

// packagesImage returns an image of Debian packages for this machine.
func packagesImage(ctx context.Context, packages []string) (v1.Image, error) {
	made, err := os.CreateTemp("", "lucidtest-") // a layer that is made is read at once
	if err != nil {
		return nil, err
	}
	if err := os.Remove(made.Name()); err != nil {
		return nil, err
	}
	found, err := lockPackages(ctx, packages, made)
	if err != nil {
		return nil, err
	}
	diffID, err := v1.NewHash(found.Layer.Digest)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(v1.ConfigFile{
		OS: machine().OS, Architecture: machine().Architecture,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{diffID}},
		Config: v1.Config{
			User: "65532:65532", WorkingDir: "/data", Env: []string{"LANG=C.UTF-8"},
			Volumes: map[string]struct{}{"/data": {}, "/run": {}, "/var": {}},
		},
	})
	if err != nil {
		return nil, err
	}
	return partial.UncompressedToImage(debianImage{config, debianLayer{ctx, diffID, found, made}})
}

// lockPackages resolves packages, unless that was done in the last week; or before that,
// and the archive cannot be reached. A layer that has to be made is written to made.
func lockPackages(ctx context.Context, packages []string, made *os.File) (locked, error) {
	cache, err := cacheDir()
	if err != nil {
		return locked{}, err
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(packages)), "\n")))
	dir := filepath.Join(cache, "locks")
	file := filepath.Join(dir, fmt.Sprintf("packages%d-%s-%x.json", packagesFormat, machine().Architecture, sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return locked{}, err
	}
	one := flock.New(file + ".lock") // of all processes that want the same
	if err := one.Lock(); err != nil {
		return locked{}, fmt.Errorf("locking %s: %w", file, err)
	}
	defer one.Close()
	kept, age := readLocked(file)
	if age < packagesTime {
		return kept, nil
	}
	fresh, err := resolvePackages(ctx, packages, made)
	if err != nil {
		if kept.Layer.Digest != "" {
			return kept, nil
		}
		return locked{}, err
	}
	text, err := json.MarshalIndent(fresh, "", "  ")
	if err != nil {
		return locked{}, err
	}
	return fresh, atomicfile.Write(dir, map[string][]byte{filepath.Base(file): text})
}

// readLocked returns what is there, and how old it is.
func readLocked(file string) (kept locked, age time.Duration) {
	const never = 1<<63 - 1
	info, err := os.Stat(file)
	if err != nil {
		return locked{}, never
	}
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.Layer.Digest == "" {
		return locked{}, never
	}
	return kept, time.Since(info.ModTime())
}

func resolvePackages(ctx context.Context, packages []string, made io.Writer) (found locked, err error) {
	eng, err := engine.Open(ctx, "") // which knows where Debian's files come from
	if err != nil {
		return locked{}, err
	}
	defer eng.Close()
	archives := eng.Resolver().Archives
	found.Layer, found.Suites, err = resolve.Closure(ctx, archives, packages, lucidbase.FormatPlatform(machine()), time.Now())
	if err != nil {
		return locked{}, err
	}
	found.Layer, err = archives.Layer(ctx, found.input(), made)
	return found, err
}

func (l locked) input() lucidbase.Input {
	return lucidbase.Input{Kind: supply.Peer, Platform: machine(), Layer: l.Layer, Suites: l.Suites}
}

// debianImage is an image of one layer.
type debianImage struct {
	config []byte
	layer  debianLayer
}

// RawConfigFile implements partial.UncompressedImageCore.
func (i debianImage) RawConfigFile() ([]byte, error) { return i.config, nil }

// MediaType implements partial.UncompressedImageCore.
func (debianImage) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// LayerByDiffID implements partial.UncompressedImageCore.
func (i debianImage) LayerByDiffID(h v1.Hash) (partial.UncompressedLayer, error) {
	if h != i.layer.diffID {
		return nil, fmt.Errorf("layer %s: not of this image", h)
	}
	return i.layer, nil
}

// debianLayer is made when it is read: mostly it is unpacked already.
type debianLayer struct {
	ctx    context.Context
	diffID v1.Hash
	locked locked
	made   *os.File // the layer, or empty
}

// DiffID implements partial.UncompressedLayer.
func (l debianLayer) DiffID() (v1.Hash, error) { return l.diffID, nil }

// MediaType implements partial.UncompressedLayer.
func (debianLayer) MediaType() (types.MediaType, error) { return types.OCIUncompressedLayer, nil }

// Uncompressed implements partial.UncompressedLayer.
func (l debianLayer) Uncompressed() (io.ReadCloser, error) {
	if info, err := l.made.Stat(); err == nil && info.Size() == l.locked.Layer.Size {
		return io.NopCloser(io.NewSectionReader(l.made, 0, info.Size())), nil
	}
	eng, err := engine.Open(l.ctx, "")
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		_, err := eng.Resolver().Archives.Layer(l.ctx, l.locked.input(), w)
		_ = eng.Close() // nothing was built
		w.CloseWithError(err)
	}()
	return r, nil
}
