package lock

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func testSources() Sources {
	hash := func(c string) string { return strings.Repeat(c, 64) }
	return Sources{
		{
			Name: "pymongo", Version: "4.6.0", SHA256: hash("a"),
			Targets: []string{"musllinux_1_2_x86_64", "musllinux_1_2_aarch64"},
			Build: Requirements{
				{Name: "setuptools", Version: "80.9.0", Hashes: []string{"sha256:" + hash("b"), "sha256:" + hash("c")}},
				{Name: "wheel", Version: "0.45.1", Marker: `platform_machine == 'x86_64'`, Hashes: []string{"sha256:" + hash("d")}},
			},
		},
		{
			Name: "cffi", Version: "1.15.1", Marker: `python_version >= "3.8"`, SHA256: hash("e"),
			Targets: []string{"manylinux_2_36_aarch64"}, CXX: true, Libraries: []string{"libffi-dev"},
		},
		{Name: "stem", Version: "1.8.2", SHA256: hash("f"), Targets: []string{"any"}},
	}
}

func TestParseSources(t *testing.T) {
	got, err := ParseSources("x", testSources().Format())
	require.NoError(t, err)
	require.Equal(t, testSources(), got)
	none, err := ParseSources("x", nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestSourcesServe(t *testing.T) {
	names := func(ss Sources) (names []string) {
		for _, s := range ss {
			names = append(names, s.Name)
		}
		return names
	}
	all := testSources()
	require.Equal(t, []string{"pymongo", "stem"}, names(all.For("musllinux_1_2_aarch64")))
	require.Equal(t, []string{"cffi", "stem"}, names(all.For("manylinux_2_36_aarch64")))
	require.Equal(t, []string{"stem"}, names(all.For("manylinux_2_36_x86_64")))
	require.Equal(t, "musllinux_1_2_x86_64", all[0].BuildTarget("musllinux_1_2_x86_64"))
	require.Equal(t, AnyTarget, all[2].BuildTarget("musllinux_1_2_x86_64"))

	reqs := Requirements{{Name: "cffi", Version: "1.15.1"}, {Name: "pymongo", Version: "4.6.0"}, {Name: "six", Version: "1"}}
	rest := all.Replace(reqs)
	require.Equal(t, Requirements{reqs[0], reqs[2]}, rest, "cffi's source has another marker")
	require.Len(t, reqs, 3)
}

func TestParseSourcesRefuses(t *testing.T) {
	good := string(testSources().Format())
	for want, edit := range map[string][2]string{
		`line 1: Pymongo: name "Pymongo" is not a normalised`:           {`"pymongo"`, `"Pymongo"`},
		`line 1: pymongo: version "new est" is not a version`:           {`"4.6.0"`, `"new est"`},
		`line 1: pymongo: sha256 "aa" is not 64`:                        {strings.Repeat("a", 64), "aa"},
		`line 1: pymongo: parsing build: line 1: setuptools: no hash`:   {"setuptools==80.9.0 \\\n    --hash=sha256:" + strings.Repeat("b", 64) + " \\\n    --hash=sha256:" + strings.Repeat("c", 64), "setuptools==80.9.0"},
		`line 1: pymongo: target "win32" is not any or one of `:         {`"musllinux_1_2_x86_64"`, `"win32"`},
		`line 1: pymongo: target musllinux_1_2_aarch64: listed twice`:   {`"musllinux_1_2_x86_64"`, `"musllinux_1_2_aarch64"`},
		`line 1: pymongo: target any stands alone`:                      {`"musllinux_1_2_x86_64"`, `"any"`},
		`line 14: cffi: library "lib ffi" is not a Debian package name`: {`"libffi-dev"`, `"lib ffi"`},
		`line 14: cffi: library libffi-dev: listed twice`:               {`"libffi-dev"`, `"libffi-dev", "libffi-dev"`},
		`line 23: stem: no targets`:                                     {`["any"]`, `[]`},
		`line 2: unknown key source.url`:                                {"name =", "url = \"x\"\nname ="},
	} {
		require.Contains(t, good, edit[0])
		_, err := ParseSources("x.sources.toml", []byte(strings.Replace(good, edit[0], edit[1], 1)))
		require.ErrorContains(t, err, "parsing x.sources.toml: ")
		require.ErrorContains(t, err, want)
	}
	_, err := ParseSources("x", testSources()[2:].Format())
	require.NoError(t, err)
	twice := append(testSources()[2:].Format(), testSources()[2:].Format()...)
	_, err = ParseSources("x", twice)
	require.EqualError(t, err, "parsing x: line 6: stem: listed before, as version 1.8.2")
	quotes := "[[source]]\nname = \"a\"\nversion = \"1\"\nsha256 = \"" + strings.Repeat("a", 64) +
		"\"\ntargets = [\"any\"]\nbuild = \"w==1 ; x == '''y''' --hash=sha256:" + strings.Repeat("a", 64) + "\"\n"
	_, err = ParseSources("x", []byte(quotes))
	require.EqualError(t, err, "parsing x: line 1: a: build requirement w: three quotes or a control character in the marker")
}

func FuzzParseSources(f *testing.F) {
	f.Add(testSources().Format())
	committed, err := os.ReadFile(Minimal.SourcesFile())
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		sources, err := ParseSources("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: ")
			return
		}
		again, err := ParseSources("fuzz", sources.Format())
		require.NoError(t, err)
		require.Equal(t, sources, again)
	})
}
