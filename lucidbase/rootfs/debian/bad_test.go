package debian

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

func withMembers(change func(control, data []byte) []debtest.Member) debtest.Package {
	return debtest.Package{Name: "one", Members: change, Entries: []tar.Header{debtest.Regular("./usr/x", 0o644)},
		Content: map[string]string{"./usr/x": "some content that is long enough to be cut in two"}}
}

func TestBadPackages(t *testing.T) {
	version := debtest.Member{Name: "debian-binary", Data: []byte("2.0\n")}
	for name, c := range map[string]struct {
		bad  debtest.Package
		want string
	}{
		"leaves the root":    {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/../../x", 0o644)}}, "data.tar.xz: entry ./usr/../../x: leaves the root"},
		"absolute":           {debtest.Package{Entries: []tar.Header{debtest.Regular("/etc/x", 0o644)}}, "entry /etc/x: is not a clean path"},
		"whiteout":           {debtest.Package{Entries: []tar.Header{debtest.Regular("./etc/.wh.passwd", 0o644)}}, "entry ./etc/.wh.passwd: would remove a file"},
		"device":             {debtest.Package{Entries: []tar.Header{{Name: "./dev/sda", Typeflag: tar.TypeBlock}}}, "entry ./dev/sda: is a device node"},
		"named pipe":         {debtest.Package{Entries: []tar.Header{{Name: "./run/p", Typeflag: tar.TypeFifo}}}, "entry ./run/p: is a named pipe"},
		"unknown type":       {debtest.Package{Entries: []tar.Header{{Name: "./x", Typeflag: '7'}}}, "entry ./x: is of unknown type"},
		"setuid":             {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/bin/su", 0o4755)}}, "entry ./usr/bin/su: is setuid"},
		"setgid":             {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/bin/w", 0o2755)}}, "entry ./usr/bin/w: is setgid"},
		"writable":           {debtest.Package{Entries: []tar.Header{debtest.Regular("./etc/w", 0o666)}}, "entry ./etc/w: is writable for everybody"},
		"hard link nowhere":  {debtest.Package{Entries: []tar.Header{debtest.HardLink("./a", "./b")}}, "entry ./a: hard link to ./b, which is no file"},
		"hard link outside":  {debtest.Package{Entries: []tar.Header{debtest.HardLink("./a", "../b")}}, "entry ./a: hard link to ../b: leaves the root"},
		"hard link to dir":   {debtest.Package{Entries: []tar.Header{debtest.Dir("./b/"), debtest.HardLink("./a", "./b")}}, "hard link to ./b, which is no file"},
		"dangling link":      {debtest.Package{Entries: []tar.Header{debtest.Link("./usr/a", "b")}}, "package one: entry usr/a: the link to b ends nowhere"},
		"link leaves root":   {debtest.Package{Entries: []tar.Header{debtest.Link("./usr/a", "../../b")}}, "entry usr/a: the link to ../../b leaves the root"},
		"circle":             {debtest.Package{Entries: []tar.Header{debtest.Link("./a", "b"), debtest.Link("./b", "a")}}, "entry a: the link to b goes in a circle"},
		"below a link":       {debtest.Package{Entries: []tar.Header{debtest.Dir("./etc/"), debtest.Link("./usr/a", "/etc"), debtest.Regular("./usr/a/x", 0o644)}}, "entry usr/a/x: usr/a is no directory in package one"},
		"below a file":       {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/a", 0o644), debtest.Regular("./usr/a/x", 0o644)}}, "entry usr/a/x: usr/a is no directory"},
		"own link elsewhere": {debtest.Package{Entries: []tar.Header{debtest.Link("./bin", "usr/sbin")}}, "entry ./bin: links to usr/sbin instead of usr/bin"},
		"ours":               {debtest.Package{Entries: []tar.Header{debtest.Regular("./etc/passwd", 0o600)}}, "entry etc/passwd: package one ships it differently"},
		"unknown compression": {withMembers(func(c, d []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}, {Name: "data.tar.lz4", Data: d}}
		}), "data.tar.lz4: unknown compression .lz4"},
		"no data": {withMembers(func(c, _ []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}}
		}), "no data.tar in it"},
		"no control": {withMembers(func(_, d []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "data.tar.xz", Data: debtest.XZ(d)}}
		}), "no control.tar in it"},
		"no control file": {withMembers(func(_, d []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "control.tar", Data: d}, {Name: "data.tar.xz", Data: debtest.XZ(d)}}
		}), "control.tar: no control file in it"},
		"truncated xz": {withMembers(func(c, d []byte) []debtest.Member {
			x := debtest.XZ(d)
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}, {Name: "data.tar.xz", Data: x[:len(x)/2]}}
		}), "data.tar.xz: "},
		"xz without its end": {withMembers(func(c, d []byte) []debtest.Member {
			x := debtest.XZ(d)
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}, {Name: "data.tar.xz", Data: x[:len(x)-4]}}
		}), "data.tar.xz: "},
		"wrong xz checksum": {withMembers(func(c, d []byte) []debtest.Member {
			x := debtest.XZ(d)
			x[len(x)-30] ^= 1
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}, {Name: "data.tar.xz", Data: x}}
		}), "data.tar.xz: "},
		"truncated gzip": {withMembers(func(c, d []byte) []debtest.Member {
			x := debtest.Gz(d)
			return []debtest.Member{version, {Name: "control.tar.gz", Data: debtest.Gz(c)}, {Name: "data.tar.gz", Data: x[:len(x)-9]}}
		}), "data.tar.gz: "},
		"truncated tar": {withMembers(func(c, d []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "control.tar", Data: c}, {Name: "data.tar", Data: d[:520]}}
		}), "data.tar: entry ./usr/x: unexpected EOF"},
		"not xz": {withMembers(func(c, d []byte) []debtest.Member {
			return []debtest.Member{version, {Name: "control.tar.xz", Data: debtest.XZ(c)}, {Name: "data.tar.xz", Data: d}}
		}), "data.tar.xz: "},
		"other architecture": {debtest.Package{Architecture: "arm64"}, `it is for architecture "arm64", not amd64`},
	} {
		t.Run(name, func(t *testing.T) {
			c.bad.Name = "one"
			a := &Archives{Cache: t.TempDir()}
			_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, []debtest.Package{c.bad}), io.Discard)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "making rootfs linux/amd64: ")
			require.ErrorContains(t, err, "one")
		})
	}
}

func TestPackageThatIsNotTheLockedOne(t *testing.T) {
	file, want := debtest.Package{Name: "one", Version: "2"}.Deb(t)
	for message, change := range map[string]func(){
		`unpacking two 2: it is package "one"`: func() { want.Name, want.Version = "two", "2" },
		`unpacking one 3: it is version "2"`:   func() { want.Name, want.Version = "one", "3" },
	} {
		change()
		_, err := deb.Unpacker{Architecture: "amd64", Spool: testSpool(t)}.Read(bytes.NewReader(file), want)
		require.EqualError(t, err, message)
	}
}

func TestTruncatedPackageFile(t *testing.T) {
	file, want := debtest.Package{Name: "one", Entries: []tar.Header{debtest.Regular("./x", 0o644)}}.Deb(t)
	s := testSpool(t)
	for n := 0; n < len(file)-1; n += 17 {
		_, err := deb.Unpacker{Architecture: "amd64", Spool: s}.Read(bytes.NewReader(file[:n]), want)
		require.ErrorContains(t, err, "unpacking one 1: ", "the first %d bytes of %d", n, len(file))
	}
}

func TestTwoPackagesWithOnePath(t *testing.T) {
	one := debtest.Package{Name: "one", Entries: []tar.Header{debtest.Dir("./usr/"), debtest.Regular("./usr/x", 0o644)}, Content: map[string]string{"./usr/x": "1"}}
	for name, c := range map[string]struct {
		two  debtest.Package
		want string
	}{
		"same":           {debtest.Package{Entries: []tar.Header{debtest.Dir("./usr/"), debtest.Regular("./usr/x", 0o644)}, Content: map[string]string{"./usr/x": "1"}}, ""},
		"other content":  {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/x", 0o644)}, Content: map[string]string{"./usr/x": strings.Repeat("2", 9999)}}, "package two: entry usr/x: package one ships it differently"},
		"other mode":     {debtest.Package{Entries: []tar.Header{debtest.Regular("./usr/x", 0o755)}, Content: map[string]string{"./usr/x": "1"}}, "package two: entry usr/x: package one ships it differently"},
		"other type":     {debtest.Package{Entries: []tar.Header{debtest.Dir("./usr/x/")}}, "package two: entry usr/x: package one ships it differently"},
		"moved name":     {debtest.Package{Entries: []tar.Header{debtest.Dir("./lib/")}}, ""},
		"other dir mode": {debtest.Package{Entries: []tar.Header{{Name: "./usr/", Typeflag: tar.TypeDir, Mode: 0o700}}}, "package two: entry usr: package one ships it differently"},
	} {
		t.Run(name, func(t *testing.T) {
			c.two.Name = "two"
			a := &Archives{Cache: t.TempDir()}
			_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, []debtest.Package{c.two, one}), io.Discard)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func testSpool(t testing.TB) *tree.Spool {
	t.Helper()
	s, err := tree.NewSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func FuzzReadDeb(f *testing.F) {
	file, want := debtest.Package{Name: "one", Entries: []tar.Header{debtest.Dir("./usr/"), debtest.Regular("./usr/x", 0o644), debtest.HardLink("./usr/y", "./usr/x")}}.Deb(f)
	f.Add(file)
	plain, _ := withMembers(func(c, d []byte) []debtest.Member {
		return []debtest.Member{{Name: "control.tar", Data: c}, {Name: "data.tar", Data: d}}
	}).Deb(f)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := deb.Unpacker{Architecture: "amd64", Spool: testSpool(t)}.Read(bytes.NewReader(data), want)
		if err != nil {
			require.ErrorContains(t, err, "unpacking one 1: ")
			return
		}
		tree, _, err := assemble(supply.Builder, []deb.File{d}, nil)
		if err != nil {
			return
		}
		_, _, err = tree.Write(io.Discard)
		require.NoError(t, err)
	})
}
