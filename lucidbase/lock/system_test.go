package lock

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func testSystem() System {
	d := testDebian()
	layer := d.Platforms["linux/amd64"].Rootfs
	base := "sha256:" + strings.Repeat("b", 64)
	return System{
		Packages: []string{"libpq5", "tini"}, Suites: d.Suites,
		Platforms: map[string]SystemPlatform{"linux/amd64": {Base: base, Added: layer}, "linux/arm64": {Base: base}},
	}
}

func TestReadSystem(t *testing.T) {
	want := testSystem()
	got, err := ReadSystem(fstest.MapFS{"locks/gateway.system.lock.json": {Data: want.Format()}}, "locks/gateway.system.lock.json")
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = ReadSystem(fstest.MapFS{"a.json": {Data: []byte("{}")}}, "a.json")
	require.EqualError(t, err, "parsing a.json: line 1: no packages\nparsing a.json: line 1: no suites\nparsing a.json: line 1: no platforms")
	_, err = ReadSystem(fstest.MapFS{}, "a.json")
	require.Error(t, err)
}

func TestParseSystemRefuses(t *testing.T) {
	for want, edit := range map[string]func(s *System){
		"line 5: tini: listed twice or not in order": func(s *System) { s.Packages = []string{"libpq5", "tini", "tini"} },
		`line 3: "../x": not a Debian package name`:  func(s *System) { s.Packages[0] = "../x" },
		"no suites":    func(s *System) { s.Suites = nil },
		"no platforms": func(s *System) { s.Platforms = nil },
		`linux/arm64: base "" is not a SHA-256 digest`:                       func(s *System) { s.Platforms["linux/arm64"] = SystemPlatform{} },
		"linux/amd64 added: package tzdata: archive \"debian\" has no suite": func(s *System) { s.Suites[0].Archive = "other" },
	} {
		s := testSystem()
		edit(&s)
		_, err := ParseSystem("x.system.lock.json", s.Format())
		require.ErrorContains(t, err, "parsing x.system.lock.json: ")
		require.ErrorContains(t, err, want)
	}
	_, err := ParseSystem("x", append(testSystem().Format(), '7'))
	require.ErrorContains(t, err, "text after the lock's end")
	_, err = ParseSystem("x", []byte(`{"pakages": []}`))
	require.ErrorContains(t, err, "line 1")
}

// A lock's digest is another for other packages, and that of the base without any.
func TestSystemDigestWith(t *testing.T) {
	require.Equal(t, "sha256:1", System{}.DigestWith("sha256:1"))
	one := testSystem()
	other := testSystem()
	other.Packages = other.Packages[:1]
	require.NotEqual(t, one.DigestWith("sha256:1"), other.DigestWith("sha256:1"))
	require.NotEqual(t, one.DigestWith("sha256:1"), one.DigestWith("sha256:2"))
}

func FuzzParseSystem(f *testing.F) {
	f.Add(testSystem().Format())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSystem("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: line ")
			return
		}
		again, err := ParseSystem("fuzz", s.Format())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
