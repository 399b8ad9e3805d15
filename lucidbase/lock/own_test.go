package lock_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestSourcesBeside(t *testing.T) {
	for lockFile, want := range map[string]string{
		"requirements.lock.txt":  "requirements.sources.toml",
		"a/b.lock.txt":           "a/b.sources.toml",
		"locked.txt":             "locked.sources.toml",
		"locked":                 "locked.sources.toml",
		"service.v2.lock.txt":    "service.v2.sources.toml",
		lock.Minimal.LockFile():  lock.Minimal.SourcesFile(),
		lock.Standard.LockFile(): lock.Standard.SourcesFile(),
	} {
		require.Equal(t, want, lock.SourcesBeside(lockFile))
	}
}

var (
	ownReqs    = lock.Requirements{{Name: "psutil", Version: "5.9.6", Hashes: []string{"sha256:" + strings.Repeat("a", 64)}}}
	ownSources = lock.Sources{{
		Name: "psutil", Version: "5.9.6", SHA256: strings.Repeat("b", 64), Targets: []string{"musllinux_1_2_aarch64"},
	}}
)

func TestReadRequirements(t *testing.T) {
	files := fstest.MapFS{"requirements.lock.txt": {Data: ownReqs.Format()}}
	read := func() (lock.Requirements, lock.Sources, error) {
		return lock.ReadRequirements(files, "requirements.lock.txt")
	}
	reqs, sources, err := read()
	require.NoError(t, err)
	require.Equal(t, ownReqs, reqs)
	require.Empty(t, sources)

	files["requirements.sources.toml"] = &fstest.MapFile{Data: ownSources.Format()}
	reqs, sources, err = read()
	require.NoError(t, err)
	require.Equal(t, ownReqs, reqs)
	require.Equal(t, ownSources.Format(), sources.Format())

	for name, change := range map[string]func(*lock.Source){
		"psutil 5.9.7: not in the lock beside it": func(s *lock.Source) { s.Version = "5.9.7" },
		"stem 5.9.6: not in the lock beside it":   func(s *lock.Source) { s.Name = "stem" },
		"psutil 5.9.6: not in the lock beside":    func(s *lock.Source) { s.Marker = "sys_platform == 'linux'" },
	} {
		other := ownSources[0]
		change(&other)
		files["requirements.sources.toml"].Data = lock.Sources{other}.Format()
		_, _, err = read()
		require.ErrorContains(t, err, "requirements.sources.toml: "+name)
	}
	files["requirements.sources.toml"].Data = []byte("[[source]]\nname = 1\n")
	_, _, err = read()
	require.ErrorContains(t, err, "parsing requirements.sources.toml: line 2")
	files["requirements.lock.txt"].Data = []byte("psutil==5.9.6\n")
	_, _, err = read()
	require.EqualError(t, err, "parsing requirements.lock.txt: line 1: psutil: no hash")
	_, _, err = lock.ReadRequirements(files, "other.lock.txt")
	require.ErrorContains(t, err, "other.lock.txt")
}

// A set keeps its sources, and they are part of what an image is made from.
func TestSetSources(t *testing.T) {
	own, err := lock.Default()
	require.NoError(t, err)
	set := *own
	pymongo := own.Sources[lock.Minimal]
	files := fstest.MapFS{}
	for name, data := range set.Files() {
		files[name] = &fstest.MapFile{Data: data}
	}
	read, err := lock.Read(files)
	require.NoError(t, err)
	require.Equal(t, pymongo.Format(), read.Sources[lock.Minimal].Format())

	set.Sources = nil
	require.NotContains(t, set.Files(), lock.Minimal.SourcesFile())
	if len(pymongo) > 0 {
		require.NotEqual(t, own.Digest(lock.Minimal, nil), set.Digest(lock.Minimal, nil))
	}
	set.Sources = map[lock.Tier]lock.Sources{lock.Python: ownSources}
	require.NotEqual(t, own.Digest(lock.Python, nil), set.Digest(lock.Python, nil))
	require.Contains(t, set.Files(), lock.Python.SourcesFile())
	require.NotContains(t, set.Files(), lock.Minimal.SourcesFile())
}

func TestLibraries(t *testing.T) {
	const list = `suites = [{ archive = "debian", suite = "bookworm" }]
rootfs = ["libc6"]
headers = ["libffi-dev", "libyaml-dev"]
`
	in, err := lock.ParseDebianInput("debian12.toml", []byte(list+"[libraries]\ncffi = [\"libffi-dev\"]\n"))
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"cffi": {"libffi-dev"}}, in.Libraries)
	for libraries, want := range map[string]string{
		`cffi = ["libpq-dev"]`:                "line 5: libraries: cffi: libpq-dev is not one of headers",
		`cffi = []`:                           "line 5: libraries: cffi: none",
		`CFFI = ["libffi-dev"]`:               `line 5: libraries: "CFFI" is not a normalised project name`,
		`cffi = ["libffi-dev", "libffi-dev"]`: "line 5: libraries: cffi: libffi-dev: listed twice",
	} {
		_, err := lock.ParseDebianInput("debian12.toml", []byte(list+"[libraries]\n"+libraries+"\n"))
		require.EqualError(t, err, "parsing debian12.toml: "+want)
	}
}

func ExampleReadRequirements() {
	files := fstest.MapFS{
		"requirements.lock.txt":     {Data: ownReqs.Format()},
		"requirements.sources.toml": {Data: ownSources.Format()},
	}
	reqs, sources, err := lock.ReadRequirements(files, "requirements.lock.txt")
	fmt.Println(reqs[0].Name, reqs[0].Version, sources[0].Targets, err)
	// Output: psutil 5.9.6 [musllinux_1_2_aarch64] <nil>
}
