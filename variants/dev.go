package variants

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Dev is the twin of a base image for build stages of a Dockerfile and for debugging: the
// same layers, and above them bash, coreutils and pip, or for Alpine the official image's
// busybox and pip, and the virtual environment /opt/packages, which the image's user may write and which sees the packages of the base.
// What "pip install" puts there, "COPY --from" takes into the base itself. It is held to
// verify's contract for twins, and its label verify.DevLabel says what it is: no service
// stands on it.
type Dev struct {
	// Of is the base image, such as Python{}. The twin's name is its name and "-dev".
	Of Base
}

// Graph returns the image's graph for one platform.
func (v Dev) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	if v.Of == nil {
		return lucidbase.Graph{}, errors.New("Of: missing, such as variants.Python{}")
	}
	return v.base().Graph(p)
}

func (v Dev) base() base {
	b := v.Of.base()
	b.name += "-dev"
	b.description = strings.Replace(b.description, "Distroless Python", "Twin for build stages and debugging: Python", 1)
	b.dev = true
	return b
}

// devEnv is what a twin has of variables besides, or in place of, the base's. pip's keep its
// results equal, and its cache out of layers.
func devEnv(env map[string]string) {
	env["PATH"] = stage.DevPath + "/bin:" + env["PATH"]
	env["VIRTUAL_ENV"] = stage.DevPath
	env["PYTHONPATH"] = "/usr/local/lib/pip" // for "python -m pip"
	env["PIP_COMPILE"] = "0"
	env["PIP_NO_CACHE_DIR"] = "1"
	env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
}

// addDev puts a twin's layers above the base's.
func (d base) addDev(im *image) error {
	t, err := im.twin()
	if err != nil {
		return err
	}
	im.added, im.kept = t.in.Layer.Packages, slices.Concat(im.kept, t.kept)
	im.inputs = append(slices.Clone(im.inputs), t.in)
	im.layers = append(im.layers,
		layer{t.in.State(), t.what},
		layer{im.builder.Dev(im.target, t.in.State()), "pip, " + stage.DevPath})
	im.labels[LockDigestLabel] = t.digest(im.labels[LockDigestLabel])
	im.labels[verify.DevLabel] = "true"
	return nil
}

// debianTwin returns what a twin has of Debian's packages.
func debianTwin(locks *lock.Set, p ocispecs.Platform) (twin, error) {
	platform := lucidbase.FormatPlatform(p)
	switch locked, ok := locks.Dev.Platforms[platform]; {
	case !ok:
		return twin{}, fmt.Errorf("Locks: no packages of twins for %s", platform)
	case locked.Base != locks.Debian.Platforms[platform].Rootfs.Digest:
		return twin{}, fmt.Errorf("Locks: packages of twins: %w", lock.ErrOldSystem)
	}
	return twin{
		in:     supply.DebianSystem(locks.Dev, p),
		what:   "Debian packages " + strings.Join(locks.Dev.Packages, ", "),
		digest: locks.Dev.DigestWith,
	}, nil
}

// alpineTwin returns what a twin has of the official Alpine image.
func alpineTwin(im lock.Upstream, dev lock.UpstreamDev, p ocispecs.Platform) (twin, error) {
	if dev.IsZero() {
		return twin{}, fmt.Errorf("Locks: no busybox and pip of %s for %s: the image has none, or was locked without: lock again", im.Reference, lucidbase.FormatPlatform(p))
	}
	return twin{
		in:     supply.UpstreamTwin(im, dev, p),
		what:   "busybox and pip's wheel, of an Alpine image",
		kept:   dev.Kept,
		digest: dev.DigestWith,
	}, nil
}
