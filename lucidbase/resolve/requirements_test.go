package resolve

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

func listed(t *testing.T, text string) *explain.Project {
	t.Helper()
	p, err := explain.Read("r.txt", func(string) ([]byte, error) { return []byte(text), nil }, nil)
	require.NoError(t, err)
	require.Empty(t, p.Findings())
	return p
}

// What a list says reaches uv as arguments: of a file's options it knows few, and
// passes over others.
func TestRequestStage(t *testing.T) {
	p := listed(t, "--pre --no-binary :all: --only-final c\n--only-binary a,b\na==1 --hash=sha256:"+hashA+"\nb[x]>=2 ; os_name != 'nt'\n")
	list, files := Request{List: List{"svc/r.txt", p}, Targets: musl}.stage(nil, p.Query(), Lists{})
	require.Equal(t, stage.List{
		Name: "requirements", File: "r.txt", Targets: musl,
		Arguments: []string{
			"--no-binary", ":all:", "--only-binary", "a", "--only-binary", "b", "--prerelease", "allow", "--prerelease-package", "c=disallow",
		},
		Written: map[string]string{"a": "a", "b": "b[x]"},
		Refused: verify.Refused(),
		Pins:    []stage.Pin{{Name: "a", Version: "1", Hashes: []string{"sha256:" + hashA}}},
	}, list)
	require.Equal(t, map[string][]byte{
		"r.txt": []byte("a==1\nb[x]>=2 ; os_name != 'nt'\n-c limits/constraints.txt\n"), "limits/constraints.txt": []byte(""),
	}, files)
	list, _ = Request{List: List{"r.txt", p}}.stage(nil, p.Query(), Lists{})
	require.Equal(t, lock.WheelTargets(), list.Targets)
}

// A hash that a list names is kept to, and --require-hashes is about what other
// packages ask for, too.
func TestCheckHashes(t *testing.T) {
	for name, c := range map[string]struct {
		list, hashes string
		want         []string // the hashes of cffi
		says         string
	}{
		"none named":   {"cffi\n", `{}`, []string{"sha256:" + hashA}, ""},
		"one of two":   {"cffi==1.15.1 --hash=sha256:" + hashA + "\n", `{"cffi": ["sha256:` + hashA + `"]}`, []string{"sha256:" + hashA}, ""},
		"no such file": {"\ncffi==1.15.1 --hash=sha256:" + hashB + "\n", `{"cffi": []}`, nil, "r.txt: line 2: cffi==1.15.1 --hash=sha256:" + hashB[:50] + "...: the index has no file of cffi 1.15.1 with this hash"},
		"dependencies": {"--require-hashes\ncffi==1.15.1 --hash=sha256:" + hashA + "\n", `{"cffi": ["sha256:` + hashA + `"]}`, nil, "r.txt: line 1: --require-hashes: the list has no line and hash for what its packages need: stem 1.8.2"},
	} {
		list, files := recorded(fmt.Sprintf(`{"error": "", "wheels": %s, "sources": [], "hashes": %s}`, recordedWheels(), c.hashes))
		err := checkHashes(list, files, listed(t, c.list).Query())
		if c.says != "" {
			require.EqualError(t, err, c.says, name)
			var wrong *HashError
			require.ErrorAs(t, err, &wrong)
			require.False(t, Explicable(err), "no other version is suggested")
			continue
		}
		require.NoError(t, err, name)
		locked, err := parseList(list, files, nil)
		require.NoError(t, err)
		require.Equal(t, c.want, locked.Requirements[0].Hashes, name)
	}
	list, files := recorded(`{"error": "no", "sources": []}`)
	require.NoError(t, checkHashes(list, files, listed(t, "--require-hashes\n").Query()), "there is nothing to compare")
}

// A source that the list itself forbids is not said to be missing.
func TestForbiddenSources(t *testing.T) {
	for list, why := range map[string]string{
		"psutil==5.9.6\n":                                                 noSource,
		"--only-binary=psutil\npsutil==5.9.6\n":                           "line 1 forbids to compile it",
		"--only-binary=:all:\n--no-binary=psutil\npsutil==5.9.6\n":        noSource,
		"\npsutil==5.9.6 --hash=sha256:" + hashA + "\n":                   "the hashes on line 2 are of no source",
		"--no-binary psutil\n--only-binary Psutil\n\npsutil==5.9.6\n\n\n": "line 2 forbids to compile it",
	} {
		d := explain.Diagnose(listed(t, list), lock.WheelTargets())
		said := blameText(d, &NoWheelError{Name: "psutil", Version: "5.9.6", Targets: musl, Said: noSource})
		require.Equal(t, "no wheel for musllinux_1_2_x86_64, musllinux_1_2_aarch64, and "+why, said, list)
	}
}
