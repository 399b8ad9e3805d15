package rootfs

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/supply"
)

func withMembers(change func(control, data []byte) []member) fixture {
	return fixture{name: "one", members: change, entries: []tar.Header{regular("./usr/x", 0o644)},
		content: map[string]string{"./usr/x": "some content that is long enough to be cut in two"}}
}

func TestBadPackages(t *testing.T) {
	version := member{"debian-binary", []byte("2.0\n")}
	for name, c := range map[string]struct {
		bad  fixture
		want string
	}{
		"leaves the root":     {fixture{entries: []tar.Header{regular("./usr/../../x", 0o644)}}, "data.tar.xz: entry ./usr/../../x: leaves the root"},
		"absolute":            {fixture{entries: []tar.Header{regular("/etc/x", 0o644)}}, "entry /etc/x: is not a clean path"},
		"whiteout":            {fixture{entries: []tar.Header{regular("./etc/.wh.passwd", 0o644)}}, "entry ./etc/.wh.passwd: would remove a file"},
		"device":              {fixture{entries: []tar.Header{{Name: "./dev/sda", Typeflag: tar.TypeBlock}}}, "entry ./dev/sda: is a device node"},
		"named pipe":          {fixture{entries: []tar.Header{{Name: "./run/p", Typeflag: tar.TypeFifo}}}, "entry ./run/p: is a named pipe"},
		"unknown type":        {fixture{entries: []tar.Header{{Name: "./x", Typeflag: '7'}}}, "entry ./x: is of unknown type"},
		"setuid":              {fixture{entries: []tar.Header{regular("./usr/bin/su", 0o4755)}}, "entry ./usr/bin/su: is setuid"},
		"setgid":              {fixture{entries: []tar.Header{regular("./usr/bin/w", 0o2755)}}, "entry ./usr/bin/w: is setgid"},
		"writable":            {fixture{entries: []tar.Header{regular("./etc/w", 0o666)}}, "entry ./etc/w: is writable for everybody"},
		"hard link nowhere":   {fixture{entries: []tar.Header{hardLink("./a", "./b")}}, "entry ./a: hard link to ./b, which is no file"},
		"hard link outside":   {fixture{entries: []tar.Header{hardLink("./a", "../b")}}, "entry ./a: hard link to ../b: leaves the root"},
		"hard link to dir":    {fixture{entries: []tar.Header{dir("./b/"), hardLink("./a", "./b")}}, "hard link to ./b, which is no file"},
		"dangling link":       {fixture{entries: []tar.Header{link("./usr/a", "b")}}, "package one: entry usr/a: the link to b ends nowhere"},
		"link leaves root":    {fixture{entries: []tar.Header{link("./usr/a", "../../b")}}, "entry usr/a: the link to ../../b leaves the root"},
		"circle":              {fixture{entries: []tar.Header{link("./a", "b"), link("./b", "a")}}, "entry a: the link to b goes in a circle"},
		"below a link":        {fixture{entries: []tar.Header{dir("./etc/"), link("./usr/a", "/etc"), regular("./usr/a/x", 0o644)}}, "entry usr/a/x: usr/a is no directory in package one"},
		"below a file":        {fixture{entries: []tar.Header{regular("./usr/a", 0o644), regular("./usr/a/x", 0o644)}}, "entry usr/a/x: usr/a is no directory"},
		"own link elsewhere":  {fixture{entries: []tar.Header{link("./bin", "usr/sbin")}}, "entry ./bin: links to usr/sbin instead of usr/bin"},
		"ours":                {fixture{entries: []tar.Header{regular("./etc/passwd", 0o600)}}, "entry etc/passwd: package one ships it differently"},
		"unknown compression": {withMembers(func(c, d []byte) []member { return []member{version, {"control.tar.xz", xz(c)}, {"data.tar.lz4", d}} }), "data.tar.lz4: unknown compression .lz4"},
		"no data":             {withMembers(func(c, _ []byte) []member { return []member{version, {"control.tar.xz", xz(c)}} }), "no data.tar in it"},
		"no control":          {withMembers(func(_, d []byte) []member { return []member{version, {"data.tar.xz", xz(d)}} }), "no control.tar in it"},
		"no control file":     {withMembers(func(_, d []byte) []member { return []member{version, {"control.tar", d}, {"data.tar.xz", xz(d)}} }), "control.tar: no control file in it"},
		"truncated xz": {withMembers(func(c, d []byte) []member {
			x := xz(d)
			return []member{version, {"control.tar.xz", xz(c)}, {"data.tar.xz", x[:len(x)/2]}}
		}), "data.tar.xz: "},
		"xz without its end": {withMembers(func(c, d []byte) []member {
			x := xz(d)
			return []member{version, {"control.tar.xz", xz(c)}, {"data.tar.xz", x[:len(x)-4]}}
		}), "data.tar.xz: "},
		"wrong xz checksum": {withMembers(func(c, d []byte) []member {
			x := xz(d)
			x[len(x)-30] ^= 1
			return []member{version, {"control.tar.xz", xz(c)}, {"data.tar.xz", x}}
		}), "data.tar.xz: "},
		"truncated gzip": {withMembers(func(c, d []byte) []member {
			x := gz(d)
			return []member{version, {"control.tar.gz", gz(c)}, {"data.tar.gz", x[:len(x)-9]}}
		}), "data.tar.gz: "},
		"truncated tar":      {withMembers(func(c, d []byte) []member { return []member{version, {"control.tar", c}, {"data.tar", d[:520]}} }), "data.tar: entry ./usr/x: unexpected EOF"},
		"not xz":             {withMembers(func(c, d []byte) []member { return []member{version, {"control.tar.xz", xz(c)}, {"data.tar.xz", d}} }), "data.tar.xz: "},
		"other architecture": {fixture{architecture: "arm64"}, `it is for architecture "arm64", not amd64`},
	} {
		t.Run(name, func(t *testing.T) {
			c.bad.name = "one"
			a := &Archives{Cache: t.TempDir()}
			_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, []fixture{c.bad}), io.Discard)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "making rootfs linux/amd64: ")
			require.ErrorContains(t, err, "one")
		})
	}
}

func TestPackageThatIsNotTheLockedOne(t *testing.T) {
	file, want := fixture{name: "one", version: "2"}.deb(t)
	for message, change := range map[string]func(){
		`unpacking two 2: it is package "one"`: func() { want.Name, want.Version = "two", "2" },
		`unpacking one 3: it is version "2"`:   func() { want.Name, want.Version = "one", "3" },
	} {
		change()
		_, err := readDeb(bytes.NewReader(file), want, "amd64", testSpool(t))
		require.EqualError(t, err, message)
	}
}

func TestTruncatedPackageFile(t *testing.T) {
	file, want := fixture{name: "one", entries: []tar.Header{regular("./x", 0o644)}}.deb(t)
	s := testSpool(t)
	for n := 0; n < len(file)-1; n += 17 {
		_, err := readDeb(bytes.NewReader(file[:n]), want, "amd64", s)
		require.ErrorContains(t, err, "unpacking one 1: ", "the first %d bytes of %d", n, len(file))
	}
}

func TestTwoPackagesWithOnePath(t *testing.T) {
	one := fixture{name: "one", entries: []tar.Header{dir("./usr/"), regular("./usr/x", 0o644)}, content: map[string]string{"./usr/x": "1"}}
	for name, c := range map[string]struct {
		two  fixture
		want string
	}{
		"same":           {fixture{entries: []tar.Header{dir("./usr/"), regular("./usr/x", 0o644)}, content: map[string]string{"./usr/x": "1"}}, ""},
		"other content":  {fixture{entries: []tar.Header{regular("./usr/x", 0o644)}, content: map[string]string{"./usr/x": strings.Repeat("2", 9999)}}, "package two: entry usr/x: package one ships it differently"},
		"other mode":     {fixture{entries: []tar.Header{regular("./usr/x", 0o755)}, content: map[string]string{"./usr/x": "1"}}, "package two: entry usr/x: package one ships it differently"},
		"other type":     {fixture{entries: []tar.Header{dir("./usr/x/")}}, "package two: entry usr/x: package one ships it differently"},
		"moved name":     {fixture{entries: []tar.Header{dir("./lib/")}}, ""},
		"other dir mode": {fixture{entries: []tar.Header{{Name: "./usr/", Typeflag: tar.TypeDir, Mode: 0o700}}}, "package two: entry usr: package one ships it differently"},
	} {
		t.Run(name, func(t *testing.T) {
			c.two.name = "two"
			a := &Archives{Cache: t.TempDir()}
			_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, []fixture{c.two, one}), io.Discard)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

func testSpool(t testing.TB) *spool {
	t.Helper()
	s, err := newSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func FuzzReadDeb(f *testing.F) {
	file, want := fixture{name: "one", entries: []tar.Header{dir("./usr/"), regular("./usr/x", 0o644), hardLink("./usr/y", "./usr/x")}}.deb(f)
	f.Add(file)
	plain, _ := withMembers(func(c, d []byte) []member { return []member{{"control.tar", c}, {"data.tar", d}} }).deb(f)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := readDeb(bytes.NewReader(data), want, "amd64", testSpool(t))
		if err != nil {
			require.ErrorContains(t, err, "unpacking one 1: ")
			return
		}
		tree, err := assemble(supply.Builder, []debFile{d})
		if err != nil {
			return
		}
		_, _, err = tree.write(io.Discard)
		require.NoError(t, err)
	})
}
