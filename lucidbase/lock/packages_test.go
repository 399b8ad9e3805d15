package lock

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func hex64(c string) string { return strings.Repeat(c, 64) }

// testPackages are one of each kind: pure, one wheel a target, compiled for some,
// compiled once for all, needed on one CPU alone.
func testPackages() Packages {
	all := WheelTargets()
	p := Packages{Targets: all, Requirements: Requirements{
		{Name: "cffi", Version: "1.15.1", Wheels: []Wheel{
			{Name: "cffi-1.15.1-cp311-cp311-manylinux_2_17_x86_64.whl", Size: 460000, SHA256: hex64("1"), Targets: all[:1]},
		}, Sdist: &Sdist{SHA256: hex64("e"), Targets: all[1:], CXX: true, Libraries: []string{"libffi-dev"}}},
		{Name: "greenlet", Version: "3.0", Marker: "platform_machine == 'x86_64'", Wheels: []Wheel{
			{Name: "greenlet-3.0-cp311-cp311-manylinux_2_17_x86_64.whl", Size: 600000, SHA256: hex64("2"), Targets: all[:1]},
			{Name: "greenlet-3.0-cp311-cp311-musllinux_1_1_x86_64.whl", Size: 600001, SHA256: hex64("3"), Targets: all[2:3]},
		}},
		{Name: "idna", Version: "3.10", Wheels: []Wheel{{Name: "idna-3.10-py3-none-any.whl", Size: 70000, SHA256: hex64("4"), Targets: all}}},
		{Name: "pymongo", Version: "4.6.0", Sdist: &Sdist{SHA256: hex64("a"), Targets: all, Build: Requirements{
			{Name: "setuptools", Version: "80.9.0", Hashes: []string{"sha256:" + hex64("b"), "sha256:" + hex64("c")}},
			{Name: "wheel", Version: "0.45.1", Marker: `platform_machine == 'x86_64'`, Hashes: []string{"sha256:" + hex64("d")}},
		}}},
		{Name: "stem", Version: "1.8.2", Sdist: &Sdist{SHA256: hex64("f"), Targets: []string{"any"}}},
	}}
	for i, r := range p.Requirements {
		for _, h := range r.files() {
			p.Requirements[i].Hashes = append(p.Requirements[i].Hashes, "sha256:"+h)
		}
	}
	return p
}

func testFiles(p Packages) fstest.MapFS {
	files := fstest.MapFS{}
	for name, data := range p.Files("x.lock.txt", "# Who wrote it.\n") {
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

func TestBeside(t *testing.T) {
	for lockFile, want := range map[string]string{
		"requirements.lock.txt": "requirements.lock.toml",
		"a/b.lock.txt":          "a/b.lock.toml",
		"locked.txt":            "locked.lock.toml",
		"locked":                "locked.lock.toml",
		"service.v2.lock.txt":   "service.v2.lock.toml",
	} {
		require.Equal(t, want, Beside(lockFile))
	}
}

func TestRead(t *testing.T) {
	want := testPackages()
	for _, base := range []Base{{}, {Name: "python-base", Digest: "sha256:" + hex64("0")}} {
		want.Base = base
		got, err := Read(testFiles(want), "x.lock.txt")
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want.Digest(), got.Digest())
	}
}

func TestPackagesFor(t *testing.T) {
	names := func(rs Requirements) (names []string) {
		for _, r := range rs {
			names = append(names, r.Name)
		}
		return names
	}
	p := testPackages()
	require.Equal(t, []string{"cffi", "greenlet", "idna", "pymongo", "stem"}, names(p.For("manylinux_2_36_x86_64")))
	require.Equal(t, []string{"cffi", "idna", "pymongo", "stem"}, names(p.For("manylinux_2_36_aarch64")))
	w, ok := p.Requirements[1].Wheel("musllinux_1_2_x86_64")
	require.True(t, ok)
	require.Equal(t, "greenlet-3.0-cp311-cp311-musllinux_1_1_x86_64.whl", w.Name)
	require.False(t, w.Pure())
	require.True(t, p.Requirements[2].Wheels[0].Pure())
	_, ok = p.Requirements[0].Wheel("manylinux_2_36_aarch64")
	require.False(t, ok)
	require.True(t, p.Requirements[0].Sdist.Serves("manylinux_2_36_aarch64"))
	require.Equal(t, "manylinux_2_36_aarch64", p.Requirements[0].Sdist.BuildTarget("manylinux_2_36_aarch64"))
	require.Equal(t, AnyTarget, p.Requirements[4].Sdist.BuildTarget("manylinux_2_36_aarch64"))
}

// The two files say the same, or which of them says something else of what.
func TestReadDisagreement(t *testing.T) {
	for want, edit := range map[string]func(text, data string) (string, string){
		"idna 3.10 is in the second alone": func(text, data string) (string, string) {
			return strings.Replace(text, "idna==3.10", "idna==3.11", 1), data
		},
		"idna 3.11 is in the first alone": func(text, data string) (string, string) {
			return strings.Replace(text, "idna==3.10", "idna==3.11", 1), data
		},
		"flask 1 is in the first alone": func(text, data string) (string, string) {
			return text + "flask==1 --hash=sha256:" + hex64("0") + "\n", data
		},
		"idna 3.10: the hash " + hex64("5") + " is in the second alone": func(text, data string) (string, string) {
			return text, strings.Replace(data, hex64("4"), hex64("5"), 1)
		},
		"pymongo 4.6.0: the hash " + hex64("5") + " is in the second alone": func(text, data string) (string, string) {
			return text, strings.Replace(data, hex64("a"), hex64("5"), 1)
		},
		"idna 3.10: listed twice": func(text, data string) (string, string) {
			return text + "idna==3.10 ; python_version < '3' --hash=sha256:" + hex64("4") + "\n", data
		},
	} {
		files := testFiles(testPackages())
		text, data := edit(string(files["x.lock.txt"].Data), string(files["x.lock.toml"].Data))
		files["x.lock.txt"].Data, files["x.lock.toml"].Data = []byte(text), []byte(data)
		_, err := Read(files, "x.lock.txt")
		require.ErrorContains(t, err, "x.lock.txt and x.lock.toml: "+want)
	}
}

func TestReadRefuses(t *testing.T) {
	files := testFiles(testPackages())
	delete(files, "x.lock.toml")
	_, err := Read(files, "x.lock.txt")
	require.ErrorIs(t, err, ErrOldLock)
	require.ErrorContains(t, err, "x.lock.txt: there is no x.lock.toml: ")
	_, err = Read(files, "other.lock.txt")
	require.ErrorContains(t, err, "other.lock.txt")
	files["x.lock.txt"].Data = []byte("idna==1\nfastapi>=0.111,<1.0\n")
	_, err = Read(files, "x.lock.txt")
	require.ErrorIs(t, err, ErrNoHashes)
	require.EqualError(t, err, `x.lock.txt: a list without hashes, and no lock; "lucidbase lock -r x.txt" writes x.lock.txt`)
	files["requirements.in"] = files["x.lock.txt"]
	_, err = Read(files, "requirements.in")
	require.EqualError(t, err, `requirements.in: a list without hashes, and no lock; "lucidbase lock -r requirements.in" writes requirements.lock.txt`)
	files["x.lock.txt"].Data = []byte("idna==1\nrich==1 --hash=sha256:" + hex64("4") + "\n")
	_, err = Read(files, "x.lock.txt")
	require.EqualError(t, err, "parsing x.lock.txt: line 1: idna: no hash")
}

func TestParseFilesRefuses(t *testing.T) {
	good := string(testPackages().FormatTOML())
	for want, edit := range map[string][2]string{
		`line 1: target "win32" is not one of manylinux_2_36_x86_64`: {`"manylinux_2_36_x86_64"`, `"win32"`},
		`line 1: no targets`:                                                        {good[:strings.Index(good, "\n")], "targets = []"},
		`line 3: Cffi: name "Cffi" is not a normalised`:                             {`"cffi"`, `"Cffi"`},
		`line 3: cffi: version "new est" is not a version`:                          {`"1.15.1"`, `"new est"`},
		`line 3: cffi: size 0 of cffi-1.15.1-cp311-cp311-manylinux_2_17_x8`:         {`460000`, `0`},
		`line 3: cffi: sha256 "11" of cffi-1.15.1-cp311-cp311-manylinux_2_`:         {hex64("1"), "11"},
		`line 3: cffi: sha256 "ee" of the source is not 64`:                         {hex64("e"), "ee"},
		`line 3: cffi: library "lib ffi" is not a Debian package name`:              {`"libffi-dev"`, `"lib ffi"`},
		`line 3: cffi: library libffi-dev: listed twice`:                            {`"libffi-dev"`, `"libffi-dev", "libffi-dev"`},
		`line 15: greenlet: "../x" is no wheel's name`:                              {`"greenlet-3.0-cp311-cp311-manylinux_2_17_x86_64.whl"`, `"../x"`},
		`line 15: greenlet: target manylinux_2_36_x86_64: listed twice`:             {`"musllinux_1_2_x86_64"] }`, `"manylinux_2_36_x86_64"] }`},
		`line 23: idna: no targets`:                                                 {`wheels = [` + "\n" + `  { name = "idna-3.10-py3-none-any.whl", size = 70000, hashes = { sha256 = "` + hex64("4") + `" } },` + "\n]", `wheels = []`},
		`line 30: pymongo: parsing build: line 1: setuptools: no hash`:              {"setuptools==80.9.0 \\\n    --hash=sha256:" + hex64("b") + " \\\n    --hash=sha256:" + hex64("c"), "setuptools==80.9.0"},
		`line 44: stem: target any stands alone`:                                    {`["any"]`, `["any", "manylinux_2_36_x86_64"]`},
		`line 30: alpha: listed twice or not in order`:                              {`"pymongo"`, `"alpha"`},
		`line 30: idna: version 3.10 is for manylinux_2_36_x86_64, and so is 4.6.0`: {`"pymongo"`, `"idna"`},
		`line 1: base: "Python" with the digest "x" is not a name and a SHA-256`:    {"targets =", "base = { name = \"Python\", digest = \"x\" }\ntargets ="},
		`unknown key packages.url`:                                                  {"version =", "url = \"x\"\nversion ="},
	} {
		t.Run(want, func(t *testing.T) {
			require.Contains(t, good, edit[0])
			_, err := parseFiles("x.lock.toml", []byte(strings.Replace(good, edit[0], edit[1], 1)))
			require.ErrorContains(t, err, "parsing x.lock.toml: ")
			require.ErrorContains(t, err, want)
		})
	}
}

// A set's packages are part of what an image is made from, sources as well.
func TestPackagesCountInDigest(t *testing.T) {
	set := testSet()
	want := set.Digest(Minimal, Packages{})
	require.NotEqual(t, want, set.Digest(Minimal, testPackages()))
	set.Python[Minimal] = testPackages()
	compiled := set.Digest(Minimal, Packages{})
	require.NotEqual(t, want, compiled)
	other := testPackages()
	other.Requirements[3].Sdist.Build = nil
	set.Python[Minimal] = other
	require.NotEqual(t, compiled, set.Digest(Minimal, Packages{}))
}

func FuzzParseFiles(f *testing.F) {
	f.Add(testPackages().FormatTOML())
	committed, err := os.ReadFile(Beside(Minimal.LockFile()))
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseFiles("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: ")
			return
		}
		again, err := parseFiles("fuzz", p.FormatTOML())
		require.NoError(t, err)
		require.Equal(t, p.FormatTOML(), again.FormatTOML())
		require.True(t, slices.IsSortedFunc(p.Requirements, func(a, b Requirement) int { return strings.Compare(a.Name, b.Name) }))
	})
}

func ExampleRead() {
	locked, err := Read(testFiles(testPackages()), "x.lock.txt")
	for _, r := range locked.For("musllinux_1_2_aarch64") {
		w, ok := r.Wheel("musllinux_1_2_aarch64")
		fmt.Println(r.Name, r.Version, ok, w.Size)
	}
	fmt.Println(err)
	// Output:
	// cffi 1.15.1 false 0
	// idna 3.10 true 70000
	// pymongo 4.6.0 false 0
	// stem 1.8.2 false 0
	// <nil>
}
