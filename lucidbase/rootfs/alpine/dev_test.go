package alpine

import (
	"archive/tar"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

const pipWheel = imageStdlib + "ensurepip/_bundled/pip-24.0-py3-none-any.whl"

// A twin has busybox under all its names, and of pip the wheel; nothing of these is in the
// base, and nothing else of the image comes along.
func TestDev(t *testing.T) {
	for name, edit := range map[string]func(f *imageFixture) *imageFixture{
		"as it is":      func(f *imageFixture) *imageFixture { return f },
		"merged to usr": func(f *imageFixture) *imageFixture { return f.without("bin/busybox").without("bin/sh").mergedShell() },
	} {
		t.Run(name, func(t *testing.T) {
			f := edit(alpine(t)).file(pipWheel, "wheel").file(imageStdlib+"ensurepip/_bundled/setuptools-65.5.0-py3-none-any.whl", "x")
			got, kept, err := f.link("usr/bin/env", "/bin/busybox").upstream("amd64").dev()
			require.NoError(t, err)
			require.Equal(t, []lock.ApkPackage{{Name: "busybox", Version: "1"}}, kept)
			base, err := f.compute("amd64")
			require.NoError(t, err)
			for name, e := range got {
				if e.Kind != tar.TypeDir {
					require.Nil(t, base.kept[name], name)
				}
			}
			for _, name := range []string{"bin/sh", "bin/busybox", "usr/bin/env", wheelDir + "/pip-24.0-py3-none-any.whl"} {
				require.NotNil(t, got.Find(name), name)
			}
			require.Contains(t, string(readEntry(t, got["usr/lib/apk/db/installed"])), "P:busybox\n")
			require.Contains(t, string(readEntry(t, got["usr/lib/apk/db/installed"])), "P:musl\n", "it takes the place of the base's")
			files := 0
			for _, e := range got {
				if e.Kind == tar.TypeReg {
					files++
				}
			}
			require.Equal(t, 3, files)
		})
	}
}

// mergedShell is busybox where /bin is a link.
func (f *imageFixture) mergedShell() *imageFixture {
	return f.link("bin", "usr/bin").program("usr/bin/busybox", string(elfSpec{needed: []string{"libc.musl-x86_64.so.1"}}.bytes(f.t))).link("usr/bin/sh", "busybox")
}

// An image without one of them is good for a base alone.
func TestDevOfAnImageWithoutIt(t *testing.T) {
	_, _, err := alpine(t).upstream("amd64").dev()
	require.ErrorIs(t, err, tree.ErrNowhere)
	require.ErrorContains(t, err, "pip-*.whl: is not in the image")
	_, _, err = alpine(t).file(pipWheel, "x").without("bin/busybox").without("bin/sh").upstream("amd64").dev()
	require.ErrorIs(t, err, tree.ErrNowhere)
	require.ErrorContains(t, err, "bin/busybox: is not in the image")
	u := newUpstream(t)
	found, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	require.True(t, found.Dev.IsZero())
}
