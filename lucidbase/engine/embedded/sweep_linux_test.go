package embedded

import (
	"os"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/stretchr/testify/require"
)

func TestSweepAfterKill(t *testing.T) {
	requireEngine(t)
	f := newFixture(t)
	for name, path := range map[string]string{"by runc": os.Getenv("PATH"), "by hand": "/nonexistent"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mark := "mark-" + strings.ReplaceAll(dir, "/", "-")
			victim := startJob(t, job{StateDir: dir, Fixture: f, Do: "sleep", Mark: mark}, nil)
			victim.expect(t, "sleeping")
			require.NoError(t, victim.Process.Kill())
			_ = victim.Wait()
			require.NotEmpty(t, processes(t, mark), "a container outlives its engine")
			require.NotEmpty(t, mounts(t, dir))

			before := os.Getenv("PATH")
			t.Setenv("PATH", path)
			b := open(t, dir)
			requireNothingLeft(t, dir, mark)
			t.Setenv("PATH", before)
			res, err := build(t.Context(), b, f, modes(f), nil)
			require.NoError(t, err, "the state is in order")
			require.NotEmpty(t, res.Entries)
		})
	}
}

func TestOnlyOurOwnMountsBelong(t *testing.T) {
	const root = "/home/user/.cache/lucidbase/buildkit/uid-0"
	for name, c := range map[string]struct {
		mount mountinfo.Info
		want  bool
	}{
		"below":              {mountinfo.Info{Mountpoint: root + "/overlayfs/executor/id/rootfs"}, true},
		"beside":             {mountinfo.Info{Mountpoint: root + "-other/x"}, false},
		"the directory":      {mountinfo.Info{Mountpoint: root}, false},
		"scratch overlay":    {mountinfo.Info{Mountpoint: "/tmp/buildkit-mount1", FSType: "overlay", VFSOptions: "rw,lowerdir=" + root + "/a:" + root + "/b"}, true},
		"another's overlay":  {mountinfo.Info{Mountpoint: "/tmp/buildkit-mount1", FSType: "overlay", VFSOptions: "rw,lowerdir=/var/lib/buildkit/a"}, false},
		"scratch bind":       {mountinfo.Info{Mountpoint: "/tmp/buildkit-mount1", FSType: "ext4", Root: root + "/overlayfs/snapshots/1/fs"}, true},
		"bind, /home apart":  {mountinfo.Info{Mountpoint: "/tmp/buildkit-mount1", FSType: "ext4", Root: "/user/.cache/lucidbase/buildkit/uid-0/native/1"}, true},
		"another's bind":     {mountinfo.Info{Mountpoint: "/tmp/buildkit-mount1", FSType: "ext4", Root: "/var/lib/buildkit/1"}, false},
		"not BuildKit's":     {mountinfo.Info{Mountpoint: "/mnt", FSType: "overlay", VFSOptions: "lowerdir=" + root + "/a"}, false},
		"whole file systems": {mountinfo.Info{Mountpoint: "/", Root: "/"}, false},
	} {
		require.Equal(t, c.want, belongs(&c.mount, root), name)
	}
}
