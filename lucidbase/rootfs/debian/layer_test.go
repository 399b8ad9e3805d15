package debian

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// base is a small root filesystem with the oddities of the real one.
func base() []debtest.Package {
	return []debtest.Package{{
		Name: "base-files",
		Entries: []tar.Header{
			debtest.Dir("./"), debtest.Dir("./bin/"), debtest.Dir("./lib/"), debtest.Dir("./etc/"), debtest.Dir("./run/"),
			{Name: "./tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
			{Name: "./root/", Typeflag: tar.TypeDir, Mode: 0o700},
			{Name: "./var/local/", Typeflag: tar.TypeDir, Mode: 0o2775, Gid: 50},
			{Name: "./var/lock/", Typeflag: tar.TypeDir, Mode: 0o1777},
			debtest.Dir("./var/run/"),
			debtest.Regular("./usr/lib/os-release", 0o644),
			debtest.Link("./etc/os-release", "../usr/lib/os-release"),
			debtest.Regular("./etc/update-motd.d/10-uname", 0o755),
		},
		Content: map[string]string{"./usr/lib/os-release": "ID=debian\n", "./etc/update-motd.d/10-uname": "#!/bin/sh\nuname\n"},
	}, {
		Name:    "libc6",
		MD5Sums: "aa  lib/x86_64-linux-gnu/libc.so.6\nbb  usr/share/doc/libc6/changelog.gz\ncc  usr/share/doc/libc6/copyright\n",
		Entries: []tar.Header{
			debtest.Dir("./lib64/"), debtest.Dir("./lib/x86_64-linux-gnu/"),
			debtest.Regular("./lib/x86_64-linux-gnu/libc.so.6", 0o755),
			debtest.Regular("./lib/x86_64-linux-gnu/ld.so.2", 0o755),
			debtest.Link("./lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld.so.2"),
			debtest.Regular("./usr/share/doc/libc6/copyright", 0o644),
			debtest.Regular("./usr/share/doc/libc6/changelog.gz", 0o644),
			debtest.Regular("./usr/share/man/man1/libc.1", 0o644),
			debtest.Regular("./usr/lib/locale/C.utf8/LC_CTYPE", 0o644),
			debtest.Regular("./usr/lib/locale/de_DE.utf8/LC_CTYPE", 0o644),
			debtest.Link("./usr/share/doc/libgcc-s1", "gcc-12-base"),
		},
		Content: map[string]string{"./lib/x86_64-linux-gnu/libc.so.6": "\x7fELF libc", "./usr/share/doc/libc6/copyright": "free"},
	}, {
		Name:         "ca-certificates",
		Architecture: "all",
		Archive:      "debian-security",
		Entries: []tar.Header{
			debtest.Regular("./usr/share/ca-certificates/mozilla/Ő.crt", 0o644),
			debtest.Regular("./usr/share/ca-certificates/mozilla/A.crt", 0o644),
			debtest.Regular("./usr/sbin/update-ca-certificates", 0o755),
		},
		Content: map[string]string{
			"./usr/share/ca-certificates/mozilla/Ő.crt": "second\n",
			"./usr/share/ca-certificates/mozilla/A.crt": "first",
			"./usr/sbin/update-ca-certificates":         "#! /bin/sh -e\n",
		},
	}, {
		Name: "python3.11-minimal",
		Entries: []tar.Header{
			{Name: "./usr/bin/python3.11", Typeflag: tar.TypeReg, Mode: 0o755, Uid: 3, Gid: 4},
			debtest.HardLink("./usr/bin/a-first-name", "./usr/bin/python3.11"),
			debtest.Regular("./usr/lib/python3.11/cgi.py", 0o755),
			debtest.Regular("./usr/bin/tool", 0o755),
			debtest.Link("./usr/share/zoneinfo/localtime", "/etc/localtime"),
		},
		Content: map[string]string{
			"./usr/bin/python3.11":        "\x7fELF python",
			"./usr/lib/python3.11/cgi.py": "#! /usr/local/bin/python\n",
			"./usr/bin/tool":              "#!/usr/bin/env python3\n",
		},
	}}
}

// input makes an input of packages and fills a cache with them.
func input(t testing.TB, cache string, kind lucidbase.InputKind, fixtures []debtest.Package) lucidbase.Input {
	t.Helper()
	in := lucidbase.Input{Kind: kind, Platform: lucidbase.LinuxAMD64}
	for _, f := range fixtures {
		file, p := f.Deb(t)
		debtest.FillCache(t, cache, map[string][]byte{p.SHA256: file})
		in.Layer.Packages = append(in.Layer.Packages, p)
	}
	return in
}

func makeLayer(t testing.TB, kind lucidbase.InputKind, fixtures []debtest.Package) ([]byte, lock.Layer) {
	t.Helper()
	a := &Archives{Cache: t.TempDir()}
	var b bytes.Buffer
	layer, err := a.Layer(t.Context(), input(t, a.Cache, kind, fixtures), &b)
	require.NoError(t, err)
	return b.Bytes(), layer
}

func TestLayerContents(t *testing.T) {
	layer, _ := makeLayer(t, supply.Rootfs, base())
	got := debtest.Listing(t, layer)
	want := map[string]string{
		"app":                                "5 755 65532:65532",
		"bin":                                "2 777 0:0 usr/bin",
		"etc/group":                          "0 644 0:0 root:x:0:\nstaff:x:50:\nnobody:x:65534:\nnonroot:x:65532:\n",
		"home/nonroot":                       "5 700 65532:65532",
		"lib":                                "2 777 0:0 usr/lib",
		"lib64":                              "2 777 0:0 usr/lib64",
		"sbin":                               "2 777 0:0 usr/sbin",
		"root":                               "5 700 0:0",
		"run/lock":                           "5 755 0:0",
		"tmp":                                "5 1777 0:0",
		"var/local":                          "5 755 0:50",
		"var/lock":                           "2 777 0:0 /run/lock",
		"var/run":                            "2 777 0:0 /run",
		"var/tmp":                            "5 1777 0:0",
		"usr/bin/tool":                       "0 755 0:0 #!/usr/bin/env python3\n",
		"etc/ssl/certs":                      "5 755 0:0",
		"etc/ssl/certs/ca-certificates.crt":  "0 644 0:0 first\nsecond\n",
		"etc/os-release":                     "2 777 0:0 ../usr/lib/os-release",
		"usr/bin/a-first-name":               "0 755 3:4 \x7fELF python",
		"usr/bin/python":                     "2 777 0:0 python3.11",
		"usr/bin/python3":                    "2 777 0:0 python3.11",
		"usr/bin/python3.11":                 "1 755 3:4 usr/bin/a-first-name",
		"usr/lib/locale/C.utf8/LC_CTYPE":     "0 644 0:0 ",
		"usr/lib/python3.11/cgi.py":          "0 755 0:0 #! /usr/local/bin/python\n",
		"usr/lib/ssl/cert.pem":               "2 777 0:0 /etc/ssl/certs/ca-certificates.crt",
		"usr/lib/x86_64-linux-gnu/libc.so.6": "0 755 0:0 \x7fELF libc",
		"usr/lib64/ld-linux-x86-64.so.2":     "2 777 0:0 /lib/x86_64-linux-gnu/ld.so.2",
		"usr/share/ca-certificates/mozilla/Ő.crt": "0 644 0:0 second\n",
		"usr/share/doc/libc6/copyright":           "0 644 0:0 free",
		"var/lib/dpkg/status.d/ca-certificates":   "0 644 0:0 Package: ca-certificates\nVersion: 1\nArchitecture: all\n",
		"var/lib/dpkg/status.d/libc6":             "0 644 0:0 Package: libc6\nVersion: 1\nArchitecture: amd64\n",
		"var/lib/dpkg/status.d/libc6.md5sums":     "0 644 0:0 aa  lib/x86_64-linux-gnu/libc.so.6\ncc  usr/share/doc/libc6/copyright\n",
		"usr/share/ca-certificates/mozilla/A.crt": "0 644 0:0 first",
		"usr/lib/x86_64-linux-gnu/ld.so.2":        "0 755 0:0 ",
		"usr/lib/os-release":                      "0 644 0:0 ID=debian\n",
	}
	for name, line := range want {
		require.NotEmpty(t, line, name)
		require.Equal(t, line, got[name], name)
	}
	for name, line := range got {
		if want[name] == "" && !strings.HasPrefix(name, "var/lib/dpkg/status.d/") && name != "etc/passwd" && name != "etc/nsswitch.conf" {
			require.Equal(t, "5 755 0:0", line, "%s is not a plain directory, and nothing asks for it", name)
		}
	}
	require.Contains(t, got["etc/passwd"], "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")
	require.Contains(t, got["etc/nsswitch.conf"], "hosts: files dns\n")
}

func TestLayerHeaders(t *testing.T) {
	layer, locked := makeLayer(t, supply.Rootfs, base())
	sum := sha256.Sum256(layer)
	require.Equal(t, "sha256:"+hex.EncodeToString(sum[:]), locked.Digest)
	require.EqualValues(t, len(layer), locked.Size)
	require.Len(t, locked.Packages, 4)
	seen := map[string]bool{".": true}
	var names []string
	r := tar.NewReader(bytes.NewReader(layer))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		name := strings.TrimSuffix(h.Name, "/")
		parent := "."
		if i := strings.LastIndex(name, "/"); i >= 0 {
			parent = name[:i]
		}
		require.True(t, seen[parent], "%s comes before its directory", name)
		seen[name] = true
		names = append(names, name)
		require.EqualValues(t, lucidbase.EpochSeconds, h.ModTime.Unix(), name)
		require.Empty(t, h.Uname+h.Gname, name)
		if strings.Contains(name, "Ő") {
			require.Equal(t, tar.FormatPAX, h.Format)
			require.Equal(t, map[string]string{"path": name}, h.PAXRecords)
		} else {
			require.Equal(t, tar.FormatUSTAR, h.Format, name)
		}
	}
	require.True(t, slices.IsSorted(names))
}

func TestLayerOfBuilderHasPackagesOnly(t *testing.T) {
	layer, _ := makeLayer(t, supply.Builder, []debtest.Package{{
		Name:         "python3-pip-whl",
		Architecture: "all",
		Members: func(control, data []byte) []debtest.Member {
			return []debtest.Member{{Name: "debian-binary", Data: []byte("2.0\n")}, {Name: "control.tar.gz", Data: debtest.Gz(control)}, {Name: "data.tar.gz", Data: debtest.Gz(data)}}
		},
		Entries: []tar.Header{debtest.Dir("./"), debtest.Dir("./usr/"), debtest.Regular("./usr/share/python-wheels/pip.whl", 0o644), debtest.Regular("./usr/share/doc/pip/NEWS", 0o644)},
		Content: map[string]string{"./usr/share/python-wheels/pip.whl": "wheel"},
	}})
	require.Equal(t, map[string]string{
		"usr":                             "5 755 0:0",
		"usr/share":                       "5 755 0:0",
		"usr/share/python-wheels":         "5 755 0:0",
		"usr/share/python-wheels/pip.whl": "0 644 0:0 wheel",
	}, debtest.Listing(t, layer))
}

// What is compiled against lies by package, so that a build sees what is named
// for it alone; no shared library is there to be linked with.
func TestLayerOfHeaders(t *testing.T) {
	link := func(name, target string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}
	}
	layer, _ := makeLayer(t, supply.Headers, []debtest.Package{{
		Name: "libffi-dev",
		Entries: []tar.Header{
			debtest.Regular("./usr/include/x86_64-linux-gnu/ffi.h", 0o644),
			debtest.Regular("./usr/lib/x86_64-linux-gnu/libffi.a", 0o644),
			debtest.Regular("./usr/lib/x86_64-linux-gnu/pkgconfig/libffi.pc", 0o644),
			link("./usr/lib/x86_64-linux-gnu/libffi.so", "libffi.so.8.1.2"),
			debtest.Regular("./usr/share/doc/libffi-dev/copyright", 0o644),
		},
	}, {
		Name: "libpython3.11-dev",
		Entries: []tar.Header{
			debtest.Regular("./usr/include/python3.11/Python.h", 0o644),
			debtest.Regular("./usr/bin/x86_64-linux-gnu-python3.11-config", 0o755),
			debtest.Regular("./usr/lib/python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a", 0o644),
			link("./usr/lib/x86_64-linux-gnu/libpython3.11.a", "../python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a"),
		},
	}, {
		Name: "libpython3.11-minimal",
		Entries: []tar.Header{
			debtest.Regular("./usr/lib/python3.11/_sysconfigdata__x86_64-linux-gnu.py", 0o644),
			debtest.Regular("./usr/lib/python3.11/os.py", 0o644),
		},
	}})
	var files []string
	for name, what := range debtest.Listing(t, layer) {
		if !strings.HasPrefix(what, "5 ") {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	require.Equal(t, []string{
		"libffi-dev/usr/include/x86_64-linux-gnu/ffi.h",
		"libffi-dev/usr/lib/x86_64-linux-gnu/libffi.a",
		"libffi-dev/usr/lib/x86_64-linux-gnu/pkgconfig/libffi.pc",
		"libpython3.11-dev/usr/include/python3.11/Python.h",
		"libpython3.11-minimal/usr/lib/python3.11/_sysconfigdata__x86_64-linux-gnu.py",
	}, files)
}

func TestLayerHasNoLib64OnARM64(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, supply.Rootfs, []debtest.Package{{
		Name:         "libc6",
		Architecture: "arm64",
		Entries:      []tar.Header{debtest.Regular("./lib/ld-linux-aarch64.so.1", 0o755)},
	}})
	in.Platform = lucidbase.LinuxARM64
	var b bytes.Buffer
	_, err := a.Layer(t.Context(), in, &b)
	require.NoError(t, err)
	got := debtest.Listing(t, b.Bytes())
	require.Contains(t, got, "usr/lib/ld-linux-aarch64.so.1")
	require.Contains(t, got, "lib")
	for _, absent := range []string{"lib64", "bin", "usr/bin/python3", "etc/ssl/certs/ca-certificates.crt"} {
		require.NotContains(t, got, absent)
	}
}

func TestLayerDependsOnPackagesOnly(t *testing.T) {
	_, want := makeLayer(t, supply.Rootfs, base())
	for i := range 10 {
		fixtures := base()
		for range i {
			fixtures = append(fixtures[1:], fixtures[0])
		}
		slices.Reverse(fixtures[i%2:])
		_, got := makeLayer(t, supply.Rootfs, fixtures)
		require.Equal(t, want.Digest, got.Digest)
	}
}

func TestLayerWithAnotherDigestThanLocked(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, supply.Rootfs, base())
	layer, err := a.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)

	in.Layer = layer
	_, err = a.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)

	in.Layer.Digest = "sha256:" + strings.Repeat("0", 64)
	_, err = a.Layer(t.Context(), in, io.Discard)
	require.ErrorContains(t, err, "making rootfs linux/amd64: its packages make "+layer.Digest)
}

func TestLayerIsCancelled(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, supply.Rootfs, base())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Layer(ctx, in, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
}

func TestLayerOfUnknownKind(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, "other", base())
	_, err := a.Layer(t.Context(), in, io.Discard)
	require.ErrorContains(t, err, `unknown kind of layer "other"`)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLayerThatCannotBeWritten(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, base()), fullDisk{})
	require.ErrorContains(t, err, "making rootfs linux/amd64: writing the layer: no space left on device")
}
