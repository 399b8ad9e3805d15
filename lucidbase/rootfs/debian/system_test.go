package debian

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
)

// added are packages with what a service's own have.
func added() []debtest.Package {
	return []debtest.Package{{
		Name:    "libblas3",
		MD5Sums: "aa  usr/lib/x86_64-linux-gnu/blas/libblas.so.3\n",
		Entries: []tar.Header{
			debtest.Dir("./lib/x86_64-linux-gnu/"),
			debtest.Regular("./usr/lib/x86_64-linux-gnu/blas/libblas.so.3", 0o644),
			debtest.Regular("./usr/share/man/man1/x.1", 0o644),
		},
	}, {
		Name: "libopenblas0-pthread",
		Entries: []tar.Header{
			debtest.Regular("./usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", 0o644),
			debtest.Regular("./usr/lib/x86_64-linux-gnu/openblas-pthread/liblapack.so.3", 0o644),
		},
	}, {
		Name: "tools",
		Entries: []tar.Header{
			debtest.Regular("./usr/lib/tools/start", 0o755), debtest.Link("./usr/bin/start", "../lib/tools/start"), debtest.Link("./usr/bin/begin", "start"),
			debtest.Regular("./usr/bin/tool", 0o755), debtest.Regular("./usr/bin/other", 0o755),
			debtest.Link("./usr/lib/tools/ca", "/etc/ssl/certs/ca-certificates.crt"),
		},
		Content: map[string]string{"./usr/lib/tools/start": "#!/bin/sh\n", "./usr/bin/tool": "#!/usr/bin/env python3\n", "./usr/bin/other": "#! /usr/bin/python3 -E\n"},
	}}
}

func TestSystemLayer(t *testing.T) {
	layer, _ := makeLayer(t, supply.System, added())
	got := debtest.Listing(t, layer)
	lib := "usr/lib/x86_64-linux-gnu"
	require.Equal(t, "2 777 0:0 openblas-pthread/libblas.so.3", got[lib+"/libblas.so.3"], "the one that Debian prefers")
	require.Equal(t, "2 777 0:0 openblas-pthread/liblapack.so.3", got[lib+"/liblapack.so.3"])
	require.Equal(t, "2 777 0:0 /etc/ssl/certs/ca-certificates.crt", got["usr/lib/tools/ca"], "it leads into the base")
	require.Equal(t, "0 755 0:0 "+ldconfig, got["usr/sbin/ldconfig"])
	require.Contains(t, got["var/lib/dpkg/status.d/libblas3"], "Package: libblas3")
	require.Contains(t, got["var/lib/dpkg/status.d/libblas3.md5sums"], "libblas.so.3")
	for _, name := range []string{"usr/bin/tool", "usr/bin/other"} {
		require.Contains(t, got, name, "every base has Python")
	}
	for _, name := range []string{"usr/lib/tools/start", "usr/bin/start", "usr/bin/begin", "usr/share/man/man1/x.1", "etc/passwd", "lib"} {
		require.NotContains(t, got, name)
	}
}

func TestAdd(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	root := input(t, a.Cache, supply.Rootfs, base())
	var b bytes.Buffer
	out, err := a.Add(t.Context(), input(t, a.Cache, supply.System, added()), root, &b)
	require.NoError(t, err)
	require.Equal(t, "tools", out.Owners["/usr/bin/tool"])
	require.Equal(t, map[string]string{"/usr/lib/tools/start": "there is no /bin/sh in an image"}, out.Dropped)
	var again bytes.Buffer
	in := input(t, a.Cache, supply.System, added())
	in.Layer.Digest, in.Layer.Size = out.Digest, out.Size
	_, err = a.Layer(t.Context(), in, &again)
	require.NoError(t, err, "a build makes the very same")
	require.Equal(t, b.Bytes(), again.Bytes())
}

func TestAddRefuses(t *testing.T) {
	for want, entry := range map[string]tar.Header{
		"package bad: entry usr/bin/python3.11: the base has it of package python3.11-minimal": debtest.Regular("./usr/bin/python3.11", 0o755),
		"package bad: entry usr/bin/python3: the base has it of package lucidbase":             debtest.Link("./usr/bin/python3", "python3.12"),
		"package bad: entry etc/passwd: the base has it of package lucidbase":                  debtest.Regular("./etc/passwd", 0o644),
		"package bad: entry etc/os-release: the base has it of package base-files":             debtest.Regular("./etc/os-release/x", 0o644),
		"package bad: directory root: mode 0755, owner 0, and package base-files of the base":  debtest.Dir("./root/"),
		"package bad: directory app: mode 0755, owner 0":                                       debtest.Regular("./app/x", 0o644),
		"unpacking bad 1: data.tar.xz: entry ./usr/bin/su: is setuid":                          debtest.Regular("./usr/bin/su", 0o4755),
		"unpacking bad 1: data.tar.xz: entry ./usr/bin/write: is setgid":                       debtest.Regular("./usr/bin/write", 0o2755),
	} {
		a := &Archives{Cache: t.TempDir()}
		root := input(t, a.Cache, supply.Rootfs, base())
		bad := debtest.Package{Name: "bad", Entries: []tar.Header{entry}, Content: map[string]string{entry.Name: "own"}}
		_, err := a.Add(t.Context(), input(t, a.Cache, supply.System, []debtest.Package{bad}), root, &bytes.Buffer{})
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "adding packages for linux/amd64: ")
	}
}

// plugin is a shared library that needs libc.so.6 and libGLU.so.1.
//
//go:embed testdata/plugin.so
var plugin string

// What can never be used is left out, and said; what is in a place of libraries stays, for
// the contract to say.
func TestAddLeavesOutTheUseless(t *testing.T) {
	fixtures := []debtest.Package{{
		Name: "libcaca0",
		Entries: []tar.Header{
			debtest.Regular("./usr/lib/x86_64-linux-gnu/libcaca.so.0", 0o644),
			debtest.Regular("./usr/lib/x86_64-linux-gnu/caca/gl.so.0.0", 0o644),
			debtest.Link("./usr/lib/x86_64-linux-gnu/caca/gl.so", "gl.so.0.0"),
			debtest.Link("./usr/lib/x86_64-linux-gnu/caca/default.conf", "../../../share/chooser/x.conf"),
			debtest.Link("./usr/lib/x86_64-linux-gnu/caca/null", "/dev/null"),
			debtest.Link("./usr/share/doc/libcaca0", "libcaca-common"),
		},
		Content: map[string]string{"./usr/lib/x86_64-linux-gnu/libcaca.so.0": plugin, "./usr/lib/x86_64-linux-gnu/caca/gl.so.0.0": plugin},
	}}
	a := &Archives{Cache: t.TempDir()}
	var b bytes.Buffer
	out, err := a.Add(t.Context(), input(t, a.Cache, supply.System, fixtures), input(t, a.Cache, supply.Rootfs, base()), &b)
	require.NoError(t, err)
	const caca = "/usr/lib/x86_64-linux-gnu/caca/"
	require.Equal(t, []string{caca + "default.conf", caca + "gl.so.0.0"}, out.LeftOut)
	require.Equal(t, "it needs libGLU.so.1, which nothing brings", out.Dropped[caca+"gl.so.0.0"])
	require.Equal(t, "libcaca0", out.Owners[caca+"gl.so.0.0"])
	got := debtest.Listing(t, b.Bytes())
	require.NotContains(t, got, caca[1:]+"gl.so")
	require.Contains(t, got, caca[1:]+"null")
	require.Contains(t, got, "usr/lib/x86_64-linux-gnu/libcaca.so.0")

	in := input(t, a.Cache, supply.System, fixtures)
	in.Layer = out.Layer
	_, err = a.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err, "a build makes the very same")
}
