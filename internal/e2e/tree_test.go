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

func program(name, content string) entry { return entry{tar.Header{Name: name, Mode: 0o755}, content} }

func link(name, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}, ""}
}

func directory(name string, mode int64) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode}, ""}
}

// elfOf is the start of a 64-bit ELF file of a machine (e_machine's lower byte).
func elfOf(machine byte) string {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[16], header[18], header[20] = 3, machine, 1
	header[52] = 64 // e_ehsize
	return string(header)
}

// TestRules gives each rule something to find.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry entry
		want  string
	}{
		{"shell", program("bin/dash", ""), "shell: bin/dash: a shell by its name"},
		{"link named as a shell", link("sh", "."), "shell: sh: a shell by its name"},
		{"script", program("x", "#!/bin/sh -e\n"), "shell: x: a script of a shell: /bin/sh -e\n"},
		{"script by env", program("x", "#!/usr/bin/env bash\n"), "shell: x: a script of a shell: /usr/bin/env bash\n"},
		{"pip", program("opt/venv/bin/pip3", ""), "package manager: opt/venv/bin/pip3: a package manager by its name"},
		{"dpkg", program("usr/bin/dpkg", ""), "package manager: usr/bin/dpkg: a package manager by its name"},
		{"pip's code", directory("opt/site-packages/pip", 0o755), "package manager: opt/site-packages/pip: a package manager's code"},
		{"wheel", file("usr/share/pip-1-py3-none-any.whl", ""), "package manager: usr/share/pip-1-py3-none-any.whl: a wheel that is not installed"},
		{"setuid", entry{tar.Header{Name: "x", Mode: 0o4755}, ""}, "special file: x: setuid or setgid: 4755"},
		{"setgid directory", directory("x", 0o2755), "special file: x: setuid or setgid: 2755"},
		{"writable file", entry{tar.Header{Name: "x", Mode: 0o666}, ""}, "writable by all: x: mode 666"},
		{"sticky elsewhere", directory("x", 0o1777), "writable by all: x: mode 1777"},
		{"tmp without sticky", directory("tmp", 0o777), "writable by all: tmp: mode 777"},
		{"dangling", link("x", "../y"), "dangling link: x: y is not there"},
		{"loop", link("x", "/x"), "dangling link: x: a loop of links"},
		{"foreign program", program("x", elfOf(0xb7)), "architecture: x: EM_AARCH64, ELFCLASS64"},
		{"user's file", entry{tar.Header{Name: "x", Uid: 65532}, ""}, "owner: x: 65532:0"},
		{"user's group", entry{tar.Header{Name: "x", Gid: 65532}, ""}, "owner: x: 0:65532"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, []string{c.want}, findings(madeTree(t, c.entry), "amd64"))
		})
	}
}

// TestRulesOnGoodFiles has what looks like a finding and is none.
func TestRulesOnGoodFiles(t *testing.T) {
	files := madeTree(t,
		directory("tmp", 0o1777),
		directory("usr", 0o755), directory("usr/lib", 0o755), link("lib", "usr/lib"),
		program("usr/lib/x.so", elfOf(0x3e)), link("y", "/lib/../lib/./x.so"),
		file("usr/lib/example", "#!/bin/sh\n"), // cannot be run
		program("usr/lib/shown", "#!/opt/venv/bin/python\n"),
		entry{tar.Header{Name: "app", Typeflag: tar.TypeDir, Mode: 0o755, Uid: 65532, Gid: 65532}, ""},
		directory("usr/lib/python3.11", 0o755), directory("usr/lib/python3.11/wheel", 0o755),
	)
	require.Empty(t, findings(files, "amd64"))
	require.Empty(t, wrongTimes(files))
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
