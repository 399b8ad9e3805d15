package lock

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testDebian() Debian {
	layer := func(arch string, names ...string) Layer {
		l := Layer{Digest: "sha256:" + strings.Repeat("a", 64), Size: 1024}
		for _, name := range names {
			l.Packages = append(l.Packages, Package{
				Name: name, Version: "1:2.0~rc1-1+b2", Archive: "debian", Size: 7,
				Path: "pool/main/" + name + "_" + arch + ".deb", SHA256: strings.Repeat("0", 64),
			})
		}
		return l
	}
	return Debian{
		Suites: []Suite{{Archive: "debian", Name: "bookworm", Date: time.Date(2026, 7, 11, 10, 16, 37, 0, time.UTC), Key: strings.Repeat("F", 40)}},
		Platforms: map[string]DebianPlatform{
			"linux/amd64": {Rootfs: layer("all", "libc6", "tzdata"), Builder: layer("all", "pip")},
			"linux/arm64": {Rootfs: layer("all", "libc6", "tzdata"), Builder: layer("all", "pip")},
		},
	}
}

func TestParseDebian(t *testing.T) {
	want := testDebian()
	got, err := ParseDebian("debian12.json", want.Format())
	require.NoError(t, err)
	require.Equal(t, want, got)

	p, ok := got.Platforms["linux/arm64"].Rootfs.Find("tzdata")
	require.True(t, ok)
	require.Equal(t, "tzdata", p.Name)
	_, ok = got.Platforms["linux/arm64"].Rootfs.Find("bash")
	require.False(t, ok)
}

func TestParseDebianRefuses(t *testing.T) {
	tests := map[string]struct {
		edit func(d *Debian)
		want string
	}{
		"no suites":     {func(d *Debian) { d.Suites = nil }, "line 1: no suites"},
		"suite":         {func(d *Debian) { d.Suites[0].Name = "../x" }, `line 5: suite "../x" of archive "debian": not a name`},
		"no date":       {func(d *Debian) { d.Suites[0].Date = time.Time{} }, "line 6: suite bookworm: no date"},
		"local date":    {func(d *Debian) { d.Suites[0].Date = d.Suites[0].Date.In(time.FixedZone("", 3600)) }, "line 6: suite bookworm: no date in UTC"},
		"key":           {func(d *Debian) { d.Suites[0].Key = "f00" }, `line 7: suite bookworm: key "f00" is not`},
		"no platforms":  {func(d *Debian) { d.Platforms = nil }, "line 1: no platforms"},
		"digest":        {arm(func(l *Layer) { l.Digest = "sha512:0" }), `line 51: linux/arm64 rootfs: digest "sha512:0" is not`},
		"size":          {arm(func(l *Layer) { l.Size = 0 }), "line 52: linux/arm64 rootfs: size 0 is not positive"},
		"name":          {arm(func(l *Layer) { l.Packages[1].Name = "Z" }), "line 63: linux/arm64 rootfs: package Z: not a Debian"},
		"version":       {arm(func(l *Layer) { l.Packages[1].Version = "" }), "line 64: linux/arm64 rootfs: package tzdata: no version"},
		"archive":       {arm(func(l *Layer) { l.Packages[1].Archive = "x" }), `line 65: linux/arm64 rootfs: package tzdata: archive "x" has no suite`},
		"path":          {arm(func(l *Layer) { l.Packages[1].Path = "../x" }), `line 66: linux/arm64 rootfs: package tzdata: path "../x"`},
		"path up":       {arm(func(l *Layer) { l.Packages[1].Path = ".." }), `line 66: linux/arm64 rootfs: package tzdata: path ".."`},
		"absolute path": {arm(func(l *Layer) { l.Packages[1].Path = "/x" }), `line 66: linux/arm64 rootfs: package tzdata: path "/x"`},
		"package size":  {arm(func(l *Layer) { l.Packages[1].Size = -1 }), "line 67: linux/arm64 rootfs: package tzdata: size -1"},
		// The same file is on line 30, for the other platform.
		"sha256": {arm(func(l *Layer) { l.Packages[1].SHA256 = "X" }), `line 68: linux/arm64 rootfs: package tzdata: sha256 "X"`},
		"twice":  {arm(func(l *Layer) { l.Packages[1].Name = "libc6" }), "line 63: linux/arm64 rootfs: package libc6: listed twice"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := testDebian()
			tt.edit(&d)
			_, err := ParseDebian("debian12.json", d.Format())
			require.ErrorContains(t, err, "parsing debian12.json: "+tt.want)
		})
	}
}

// arm edits what ARM64's images are made from.
func arm(edit func(l *Layer)) func(d *Debian) {
	return func(d *Debian) {
		p := d.Platforms["linux/arm64"]
		edit(&p.Rootfs)
		d.Platforms["linux/arm64"] = p
	}
}

func TestParseDebianBroken(t *testing.T) {
	good := string(testDebian().Format())
	for want, text := range map[string]string{
		"line 1: ":                            "",
		"line 2: invalid character":           "{\n]",
		"line 3: json: unknown field":         "{\n\"suites\": [],\n\"host\": 1}",
		"line 17: json: cannot unmarshal":     strings.Replace(good, `"name": "libc6"`, `"name": 6`, 1),
		"line 89: text after the lock's end":  good + "{}",
		"line 49: invalid character":          good[:strings.Index(good, "    \"linux/arm64\"")] + "!",
		"line 6: parsing time":                strings.Replace(good, "2026-07-11T", "11.7. ", 1),
		"parsing debian12.json: line 1: json": "7",
	} {
		_, err := ParseDebian("debian12.json", []byte(text))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "parsing debian12.json: ")
	}
}

// A lock that compiles nothing has no headers, and says nothing of them.
func TestParseDebianHeaders(t *testing.T) {
	d := testDebian()
	require.NotContains(t, string(d.Format()), "headers")
	amd64 := d.Platforms["linux/amd64"]
	amd64.Headers = amd64.Builder
	d.Platforms["linux/amd64"] = amd64
	got, err := ParseDebian("x", d.Format())
	require.NoError(t, err)
	require.Equal(t, d, got)
	amd64.Headers.Digest = ""
	d.Platforms["linux/amd64"] = amd64
	_, err = ParseDebian("x", d.Format())
	require.ErrorContains(t, err, `linux/amd64 headers: digest "" is not a SHA-256 digest`)
}

// Every fault is reported, in the same order each time.
func TestParseDebianAll(t *testing.T) {
	d := testDebian()
	for _, p := range d.Platforms {
		p.Rootfs.Packages[0].Size = 0
		p.Builder.Packages[0].SHA256 = ""
	}
	for range 10 {
		_, err := ParseDebian("x", d.Format())
		var where []string
		for line := range strings.Lines(err.Error()) {
			where = append(where, strings.Join(strings.Fields(line)[2:7], " "))
		}
		require.Equal(t, []string{
			"line 21: linux/amd64 rootfs: package", "line 44: linux/amd64 builder: package",
			"line 59: linux/arm64 rootfs: package", "line 82: linux/arm64 builder: package",
		}, where)
	}
}

func FuzzParseDebian(f *testing.F) {
	f.Add(testDebian().Format())
	committed, err := os.ReadFile(DebianFile)
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDebian("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: line ")
			return
		}
		again, err := ParseDebian("fuzz", d.Format())
		require.NoError(t, err)
		require.Equal(t, d, again)
		require.Equal(t, d.Format(), again.Format())
	})
}
