package alpine

import (
	"archive/tar"
	"debug/elf"
	"io"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// alpine is a small image with the oddities of the official one: several layers, a
// merged /usr, libraries from packages and settings beside them, and all that a
// base goes without.
func alpine(t testing.TB) *imageFixture {
	f := &imageFixture{t: t, content: map[string]string{}}
	lib := func(needed ...string) string { return string(elfSpec{needed: needed}.bytes(t)) }
	f.layer().dir("usr/lib").link("lib", "usr/lib").
		file("usr/lib/ld-musl-x86_64.so.1", lib()).link("usr/lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1").
		file("usr/lib/libssl.so.3", lib("libcrypto.so.3", "libc.musl-x86_64.so.1")).
		file("usr/lib/libcrypto.so.3.1", lib("libc.musl-x86_64.so.1")).link("usr/lib/libcrypto.so.3", "libcrypto.so.3.1").
		file("usr/lib/ossl-modules/legacy.so", lib("libcrypto.so.3")).
		file("usr/lib/libapk.so.2", lib("libssl.so.3")).
		file("usr/lib/libcurses.so.6", lib("libc.musl-x86_64.so.1")).
		file("usr/share/terminfo/xterm", "x").file("usr/share/man/x", "x").file("usr/include/ssl.h", "x").
		program("bin/busybox", lib("libc.musl-x86_64.so.1")).link("bin/sh", "busybox").program("usr/bin/openssl", lib("libssl.so.3")).
		file("etc/ssl/openssl.cnf", "x").file("etc/ssl/certs/ca-certificates.crt", "x").link("etc/ssl/cert.pem", "certs/ca-certificates.crt").
		file("usr/lib/os-release", "NAME=x\nID=alpine\n").link("etc/os-release", "../usr/lib/os-release").
		file("etc/alpine-release", "3.23.0\n").file("etc/passwd", "root:x:0:0::/root:/bin/sh\n").file("etc/services", "http 80/tcp\n").
		file("usr/lib/apk/db/installed", strings.Join([]string{
			"P:musl\nV:1\nF:lib\nR:ld-musl-x86_64.so.1\nR:libc.musl-x86_64.so.1\n",
			"P:libcrypto3\nV:3\nD:so:libc.musl-x86_64.so.1 /bin/sh\nF:etc/ssl\nR:openssl.cnf\nF:usr/lib\nR:libcrypto.so.3\nR:libcrypto.so.3.1\nF:usr/lib/ossl-modules\nR:legacy.so\n",
			"P:libssl3\nV:3\nD:libcrypto3=3\nF:usr/lib\nR:libssl.so.3\nF:usr/include\nR:ssl.h\nF:usr/share/man\nR:x\n",
			"P:openssl\nV:3\nF:usr/bin\nR:openssl\n",
			"P:libncursesw\nV:6\nD:ncurses-terminfo-base>=6\nF:usr/lib\nR:libcurses.so.6\n",
			"P:ncurses-terminfo-base\nV:6\nF:usr/share/terminfo\nR:xterm\n",
			"P:busybox\nV:1\nF:bin\nR:busybox\nR:sh\n",
			"P:apk-tools\nV:2\nD:musl\nF:usr/lib\nR:libapk.so.2\n",
			"P:alpine-baselayout-data\nV:3\nF:etc\nR:passwd\nR:services\nR:motd\n",
			"P:ca-certificates-bundle\nV:2024\nF:etc/ssl\nR:cert.pem\nF:etc/ssl/certs\nR:ca-certificates.crt\n",
		}, "\n"))
	stdlib := "usr/local/lib/python3.11/"
	f.layer().
		program("usr/local/bin/python3.11", string(elfSpec{loader: "/lib/ld-musl-x86_64.so.1", needed: []string{"libpython3.11.so.1.0"}, runpath: "$ORIGIN/../lib"}.bytes(t))).
		link("usr/local/bin/python3", "python3.11").link("usr/local/bin/python", "python3").program("usr/local/bin/pip", "#!/usr/local/bin/python3.11").
		file("usr/local/lib/libpython3.11.so.1.0", lib("libc.musl-x86_64.so.1")).
		file("usr/local/include/python3.11/pyconfig.h", "x").file(stdlib+"_sysconfigdata__linux_x86_64-linux-musl.py", "x").
		file(stdlib+"os.py", "x").file(stdlib+"test/test_os.py", "x").file(stdlib+"unittest/test/a.py", "x").file(stdlib+"unittest/case.py", "x").
		file(stdlib+"idlelib/a.py", "x").file(stdlib+"tkinter/a.py", "x").file(stdlib+"turtle.py", "x").file(stdlib+"ensurepip/a.py", "x").
		file(stdlib+"lib2to3/Grammar.txt", "x").file(stdlib+"lib2to3/Grammar3.11.0.final.0.pickle", "x").
		file(stdlib+"config-3.11-x86_64-linux-musl/Makefile", "x").file(stdlib+"__pycache__/os.cpython-311.pyc", "x").
		file(stdlib+"lib-dynload/_ssl.so", lib("libssl.so.3", "libcrypto.so.3")).file(stdlib+"lib-dynload/_curses.so", lib("libcurses.so.6")).
		file(stdlib+"lib-dynload/_tkinter.so", lib("libtk.so")).file(stdlib+"lib-dynload/_testcapi.so", lib()).
		file(stdlib+"site-packages/README.txt", "x").file(stdlib+"site-packages/pip/a.py", "x")
	f.layer().file(stdlib+"site-packages/.wh.pip", "").file(stdlib+"added.py", "x")
	return f
}

// imageFixture is an image made for a test.
type imageFixture struct {
	t       testing.TB
	layers  [][]tar.Header
	content map[string]string
}

func (f *imageFixture) layer() *imageFixture { f.layers = append(f.layers, nil); return f }

func (f *imageFixture) add(h tar.Header, content string) *imageFixture {
	last := len(f.layers) - 1
	f.layers[last] = append(f.layers[last], h)
	f.content[h.Name] = content
	return f
}

func (f *imageFixture) file(name, content string) *imageFixture {
	return f.add(debtest.Regular(name, 0o644), content)
}

func (f *imageFixture) program(name, content string) *imageFixture {
	return f.add(debtest.Regular(name, 0o755), content)
}
func (f *imageFixture) link(name, to string) *imageFixture { return f.add(debtest.Link(name, to), "") }
func (f *imageFixture) dir(name string) *imageFixture      { return f.add(debtest.Dir(name), "") }

// without forgets a path.
func (f *imageFixture) without(name string) *imageFixture {
	for i, entries := range f.layers {
		var left []tar.Header
		for _, h := range entries {
			if h.Name != name {
				left = append(left, h)
			}
		}
		f.layers[i] = left
	}
	return f
}

// tars returns the layers.
func (f *imageFixture) tars() [][]byte {
	var out [][]byte
	for _, entries := range f.layers {
		out = append(out, debtest.Tarball(f.t, f.content, entries))
	}
	return out
}

// flat returns the image's files.
func (f *imageFixture) flat() *flat {
	f.t.Helper()
	s, err := tree.NewSpool(f.t.Context(), f.t.TempDir())
	require.NoError(f.t, err)
	f.t.Cleanup(func() { s.Close() })
	image := &flat{Tree: tree.Tree{}, from: "test", spool: s}
	for _, layer := range f.tars() {
		require.NoError(f.t, image.apply(tar.NewReader(strings.NewReader(string(layer)))))
	}
	return image
}

// upstream returns the image as it is fetched.
func (f *imageFixture) upstream(architecture string) *upstream {
	return &upstream{platform: ocispecs.Platform{OS: "linux", Architecture: architecture}, files: f.flat()}
}

// compute returns the closure of the image.
func (f *imageFixture) compute(architecture string) (*closure, error) {
	f.t.Helper()
	return f.upstream(architecture).closure()
}

func TestClosure(t *testing.T) {
	c, err := alpine(t).compute("amd64")
	require.NoError(t, err)
	var files []string
	for _, name := range c.kept.Names() {
		if c.kept[name].Kind != tar.TypeDir {
			files = append(files, name)
		}
	}
	const stdlib = "usr/local/lib/python3.11/"
	require.ElementsMatch(t, []string{
		"lib", "usr/lib/ld-musl-x86_64.so.1", "usr/lib/libc.musl-x86_64.so.1",
		"usr/lib/libssl.so.3", "usr/lib/libcrypto.so.3", "usr/lib/libcrypto.so.3.1", "usr/lib/ossl-modules/legacy.so", "etc/ssl/openssl.cnf",
		"usr/lib/libcurses.so.6", "usr/share/terminfo/xterm",
		"etc/ssl/certs/ca-certificates.crt", "etc/ssl/cert.pem", "usr/lib/os-release", "etc/os-release", "etc/alpine-release", "etc/services",
		"usr/local/bin/python3.11", "usr/local/bin/python3", "usr/local/bin/python", "usr/local/lib/libpython3.11.so.1.0",
		stdlib + "_sysconfigdata__linux_x86_64-linux-musl.py", stdlib + "os.py", stdlib + "added.py", stdlib + "unittest/case.py",
		stdlib + "lib2to3/Grammar.txt", stdlib + "lib-dynload/_ssl.so", stdlib + "lib-dynload/_curses.so",
	}, files)

	kept, err := c.packageList()
	require.NoError(t, err)
	var names []string
	for _, p := range kept {
		names = append(names, p.Name)
	}
	require.Equal(t, []string{
		"alpine-baselayout-data", "ca-certificates-bundle", "libcrypto3", "libncursesw", "libssl3", "musl", "ncurses-terminfo-base",
	}, names)
	all, err := parseApk(readEntry(t, c.kept["usr/lib/apk/db/installed"]))
	require.NoError(t, err)
	for _, p := range all {
		for _, d := range p.dirs {
			for _, f := range d.files {
				require.NotNil(t, c.kept.Find(f.name), "%s is listed, and not there", f.name)
			}
		}
	}
}

func TestClosureRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(f *imageFixture) *imageFixture
		arch string
		says string
	}{
		"another CPU": {func(f *imageFixture) *imageFixture { return f }, "arm64", "is for EM_X86_64, not EM_AARCH64"},
		"a library for another CPU": {func(f *imageFixture) *imageFixture {
			return f.without("usr/lib/libssl.so.3").file("usr/lib/libssl.so.3", string(elfSpec{machine: elf.EM_AARCH64}.bytes(f.t)))
		}, "amd64", "usr/lib/libssl.so.3: is for EM_AARCH64"},
		"no library":       {func(f *imageFixture) *imageFixture { return f.without("usr/lib/libssl.so.3") }, "amd64", "_ssl.so: needs libssl.so.3, which the image lacks"},
		"no loader":        {func(f *imageFixture) *imageFixture { return f.without("usr/lib/ld-musl-x86_64.so.1") }, "amd64", "ld-musl-x86_64.so.1: is not in the image"},
		"no Python":        {func(f *imageFixture) *imageFixture { return f.without("usr/local/bin/python3.11") }, "amd64", "usr/local/bin/python3.11: is not in the image"},
		"no database":      {func(f *imageFixture) *imageFixture { return f.without("usr/lib/apk/db/installed") }, "amd64", "it is no Alpine image"},
		"no certificates":  {func(f *imageFixture) *imageFixture { return f.without(tree.BundlePath) }, "amd64", tree.BundlePath + ": is not in the image"},
		"another system":   {func(f *imageFixture) *imageFixture { return f.file("usr/lib/os-release", "ID=debian\n") }, "amd64", "is not Alpine's"},
		"a damaged file":   {func(f *imageFixture) *imageFixture { return f.file("usr/lib/libssl.so.3", elf.ELFMAG) }, "amd64", "usr/lib/libssl.so.3: "},
		"a broken package": {func(f *imageFixture) *imageFixture { return f.file("usr/lib/apk/db/installed", "P:x\n") }, "amd64", "a package without name or version"},
		"a library that root's rights come with": {func(f *imageFixture) *imageFixture {
			return f.add(debtest.Regular("usr/lib/libssl.so.3", 0o4755), string(elfSpec{}.bytes(f.t)))
		}, "amd64", "usr/lib/libssl.so.3: is setuid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.edit(alpine(t)).compute(c.arch)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func readEntry(t testing.TB, e *tree.Entry) []byte {
	t.Helper()
	require.NotNil(t, e)
	data, err := io.ReadAll(e.Content.Reader())
	require.NoError(t, err)
	return data
}
