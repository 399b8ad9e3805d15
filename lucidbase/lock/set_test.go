package lock

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func testSet() *Set {
	locked := func(names ...string) Packages {
		p := Packages{Targets: WheelTargets()[:2]}
		for _, name := range names {
			p.Requirements = append(p.Requirements, Requirement{Name: name, Version: "1", Hashes: []string{hashA}, Wheels: []Wheel{{
				Name: name + "-1-py3-none-any.whl", Size: 1, SHA256: strings.TrimPrefix(hashA, "sha256:"), Targets: p.Targets,
			}}})
		}
		return p
	}
	return &Set{Debian: testDebian(), Tools: testTools(), Python: map[Tier]Packages{
		Minimal: locked("idna"), Python: locked("aiohttp", "idna"), Standard: locked("aiohttp", "idna", "numpy"),
	}}
}

func filesOf(s *Set) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range s.Files() {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func TestReadSet(t *testing.T) {
	set, err := ReadSet(filesOf(testSet()))
	require.NoError(t, err)
	require.Equal(t, testSet(), set)

	for tier, want := range map[Tier]string{Minimal: "idna", Python: "aiohttp", Standard: "numpy"} {
		own, err := set.Own(tier, WheelTargets()[0])
		require.NoError(t, err)
		require.Len(t, own, 1)
		require.Equal(t, want, own[0].Name)
	}
	_, err = set.Own("big", "")
	require.EqualError(t, err, `unknown tier "big"`)
}

func TestReadSetReportsAll(t *testing.T) {
	fsys := filesOf(testSet())
	delete(fsys, ToolsFile)
	fsys[DebianFile].Data = nil
	fsys[Python.LockFile()].Data = []byte("aiohttp==1")
	_, err := ReadSet(fsys)
	for _, want := range []string{ToolsFile + ": ", "parsing debian12.json: line 1: ", "python.lock.txt: a list without hashes"} {
		require.ErrorContains(t, err, want)
	}
}

func TestCheckTiers(t *testing.T) {
	set := testSet()
	python, standard := set.Python[Python], set.Python[Standard]
	python.Requirements = python.Requirements[:1]
	standard.Requirements[0].Version = "2"
	set.Python[Python], set.Python[Standard] = python, standard
	_, err := ReadSet(filesOf(set))
	require.EqualError(t, err, "python.lock.txt: idna is in minimal.lock.txt and missing here\n"+
		"standard.lock.txt: aiohttp: version 2 here, 1 in the tier below")
}

func TestDigest(t *testing.T) {
	set := testSet()
	minimal := set.Digest(Minimal, Packages{})
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", minimal)
	require.NotEqual(t, minimal, set.Digest(Python, Packages{}))
	set.Tools = Tools{}
	set.Python[Standard] = Packages{}
	require.Equal(t, minimal, set.Digest(Minimal, Packages{}), "neither tools nor other tiers count")
	set.Debian.Suites[0].Key = strings.Repeat("E", 40)
	require.NotEqual(t, minimal, set.Digest(Minimal, Packages{}))
}

// The committed locks are as they would be written.
func TestDefault(t *testing.T) {
	set, err := Default()
	require.NoError(t, err)
	require.Equal(t, []string{"linux/amd64", "linux/arm64"}, slices.Sorted(maps.Keys(set.Debian.Platforms)))
	for name, want := range set.Files() {
		data, err := committed.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(want), string(data), name)
	}
}

func ExampleParseRequirements() {
	text := "aiohttp==3.12.1 --hash=sha256:" + strings.Repeat("a", 64) + "\nidna>=3.1\n"
	_, err := ParseRequirements("own.lock.txt", []byte(text))
	fmt.Println(err)
	// Output: parsing own.lock.txt: line 2: "idna>=3.1" is not NAME==VERSION with hashes
}

func ExampleDefault() {
	set, err := Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	libc, _ := set.Debian.Platforms["linux/arm64"].Rootfs.Find("libc6")
	fmt.Println(libc.Archive, strings.HasSuffix(libc.Path, "_arm64.deb"))
	// Output: debian true
}

// The text of the committed set is kept; its digests are those of a set that was read
// anew.
func TestDigestOfTheCommittedSet(t *testing.T) {
	own, err := Default()
	require.NoError(t, err)
	anew, err := ReadSet(Files())
	require.NoError(t, err)
	for _, tier := range append(Tiers(), Bare) {
		require.Equal(t, anew.Digest(tier, own.Python[Python]), own.Digest(tier, own.Python[Python]))
		require.Equal(t, anew.Python[tier].Digest(), own.TierDigest(tier))
	}
	anew.Python[Minimal] = anew.Python[Python]
	require.Equal(t, own.TierDigest(Python), anew.TierDigest(Minimal))
}
