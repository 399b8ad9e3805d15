package resolve

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var (
	hashA = strings.Repeat("a", 64)
	hashB = strings.Repeat("b", 64)
	musl  = []string{"musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}
)

func TestParseTools(t *testing.T) {
	const found = `{"uv": {"x86_64": {"version": "0.13.9", "sha256": "AA"}, "aarch64": {"version": "0.13.9", "sha256": "bb"}},
		"ziglang": {"x86_64": {"version": "0.17.1", "sha256": "cc"}, "aarch64": {"version": "0.17.1", "sha256": "dd"}}}`
	tools, err := parseTools([]byte(found))
	require.NoError(t, err)
	require.Equal(t, lock.Tools{
		UV:  lock.Tool{Version: "0.13.9", SHA256: map[string]string{"linux/amd64": "aa", "linux/arm64": "bb"}},
		Zig: lock.Tool{Version: "0.17.1", SHA256: map[string]string{"linux/amd64": "cc", "linux/arm64": "dd"}},
	}, tools)
	for want, edit := range map[string][2]string{
		"parsing tools.json: ":                       {`{"uv"`, `["uv"`},
		"resolving ziglang: no wheel for aarch64":    {`"aarch64": {"version": "0.17.1"`, `"riscv64": {"version": "0.17.1"`},
		"resolving uv: no wheel for ":                {`"uv"`, `"uvx"`},
		"resolving uv: version 0.1":                  {`"0.13.9", "sha256": "bb"`, `"0.14.0", "sha256": "bb"`},
		"for one platform and 0.17.":                 {`"0.17.1", "sha256": "dd"`, `"0.17.2", "sha256": "dd"`},
		"parsing tools.json: unexpected end of JSON": {found, ""},
	} {
		require.Contains(t, found, edit[0])
		_, err := parseTools([]byte(strings.Replace(found, edit[0], edit[1], 1)))
		require.ErrorContains(t, err, want)
	}
}

// recorded is what the stage said about a list, cut short.
func recorded(result string) (stage.List, map[string][]byte) {
	return stage.List{Name: "minimal", File: "minimal.in", Targets: lock.WheelTargets()}, map[string][]byte{
		"minimal.lock.txt": []byte("cffi==1.15.1 ; platform_python_implementation != 'PyPy' \\\n    --hash=sha256:" + hashA + "\n" +
			"stem==1.8.2 \\\n    --hash=sha256:" + hashB + "\n"),
		"minimal.json": []byte(result),
	}
}

// recordedWheels are the wheels of recorded, for every target.
func recordedWheels() string {
	const wheel = `[{"name": "x-1-py3-none-any.whl", "size": 7, "sha256": "%s", "targets": ["%s"]}]`
	all := strings.Join(lock.WheelTargets(), `", "`)
	return fmt.Sprintf(`{"cffi 1.15.1": `+wheel+`, "stem 1.8.2": `+wheel+`}`, hashA, all, hashB, all)
}

func buildOf(name string) string { return name + "==1 \\\n    --hash=sha256:" + hashA + "\n" }

func TestParseList(t *testing.T) {
	all := lock.WheelTargets()
	result, err := json.Marshal(map[string]any{"error": "", "wheels": map[string]any{
		"cffi 1.15.1": []any{map[string]any{"name": "cffi-1.15.1-cp311-cp311-manylinux_2_17_x86_64.whl", "size": 7, "sha256": hashA, "targets": all[:2]}},
	}, "sources": []any{
		map[string]any{"name": "cffi", "version": "1.15.1", "targets": musl, "sha256": hashA, "build": buildOf("setuptools")},
		map[string]any{"name": "stem", "version": "1.8.2", "targets": []string{"any"}, "sha256": hashB, "build": ""},
	}})
	require.NoError(t, err)
	list, files := recorded(string(result))
	locked, err := parseList(list, files, map[string][]string{"cffi": {"libffi-dev"}, "pyyaml": {"libyaml-dev"}})
	require.NoError(t, err)
	require.Equal(t, lock.Packages{Targets: all, Requirements: lock.Requirements{
		{
			Name: "cffi", Version: "1.15.1", Marker: "platform_python_implementation != 'PyPy'", Hashes: []string{"sha256:" + hashA},
			Wheels: []lock.Wheel{{Name: "cffi-1.15.1-cp311-cp311-manylinux_2_17_x86_64.whl", Size: 7, SHA256: hashA, Targets: all[:2]}},
			Sdist: &lock.Sdist{
				SHA256: hashA, Targets: musl, Libraries: []string{"libffi-dev"},
				Build: lock.Requirements{{Name: "setuptools", Version: "1", Hashes: []string{"sha256:" + hashA}}},
			},
		},
		{Name: "stem", Version: "1.8.2", Hashes: []string{"sha256:" + hashB}, Sdist: &lock.Sdist{SHA256: hashB, Targets: []string{"any"}}},
	}}, locked.Packages)
}

// Every package that cannot be had is reported, with what would do instead.
func TestParseListProblems(t *testing.T) {
	list, files := recorded(`{"error": "", "sources": [
		{"name": "orjson", "version": "3.8.0", "targets": ["musllinux_1_2_x86_64", "musllinux_1_2_aarch64"], "needs": "Rust", "says": "", "nearest": "3.8.10"},
		{"name": "pywin32", "version": "306", "targets": ["manylinux_2_36_aarch64"], "needs": "", "says": "it has no source\n distribution", "nearest": ""}]}`)
	_, err := parseList(list, files, nil)
	require.EqualError(t, err, "resolving minimal.in: orjson 3.8.0: no wheel for musllinux_1_2_x86_64, musllinux_1_2_aarch64, "+
		"and its source needs a Rust compiler, and a build has none; the nearest version with wheels for all is 3.8.10\n"+
		"resolving minimal.in: pywin32 306: no wheel for manylinux_2_36_aarch64, and it has no source distribution; no version has wheels for all")
	var source *NoWheelError
	require.ErrorAs(t, err, &source)
	require.Equal(t, NoWheelError{Name: "orjson", Version: "3.8.0", Targets: musl, Needs: "Rust", Nearest: "3.8.10"}, *source)

	list, files = recorded(`{"error": "  × No solution found\n  ╰─▶ Because a", "sources": []}`)
	_, err = parseList(list, files, nil)
	var none *NoSolutionError
	require.ErrorAs(t, err, &none)
	require.Equal(t, "  × No solution found\n  ╰─▶ Because a", none.Said)
	require.EqualError(t, err, "resolving minimal.in: × No solution found ╰─▶ Because a")
}

// What the stage leaves is not trusted to be what it should be.
func TestParseListRefuses(t *testing.T) {
	good := `{"wheels": {"cffi 1.15.1": [{"name": "cffi-1.15.1-py3-none-any.whl", "size": 7, "sha256": "` + hashA + `", "targets": ["` + strings.Join(lock.WheelTargets(), `", "`) + `"]}]},
		"sources": [{"name": "stem", "version": "1.8.2", "targets": ["any"], "sha256": "` + hashB + `", "build": ""}]}`
	list, files := recorded(good)
	_, err := parseList(list, files, nil)
	require.NoError(t, err)
	for want, edit := range map[string][2]string{
		"cffi: no targets":                            {`"cffi 1`, `"cff 1`},
		"stem: no targets":                            {`"stem"`, `"sten"`},
		"size 0 of cffi-1.15.1-py3-none-any.whl":      {`"size": 7`, `"size": 0`},
		"parsing minimal.json: ":                      {`{"wheels"`, `["wheels"`},
		"target \"win_amd64\" is not one of":          {`"any"`, `"win_amd64"`},
		"sha256 \"b\" of the source is not 64":        {hashB, "b"},
		"parsing build requirements of stem: line 1:": {`"build": ""`, `"build": "wheel"`},
	} {
		require.Contains(t, good, edit[0])
		list, files := recorded(strings.Replace(good, edit[0], edit[1], 1))
		_, err := parseList(list, files, nil)
		require.ErrorContains(t, err, want)
	}
	files["minimal.lock.txt"] = []byte("stem==1.8.2\n")
	_, err = parseList(list, files, nil)
	require.EqualError(t, err, "parsing minimal.lock.txt: line 1: stem: no hash")
}

func FuzzParseList(f *testing.F) {
	f.Add(`{"sources": [{"name": "stem", "version": "1.8.2", "targets": ["any"], "sha256": "`+hashB+`", "build": ""}]}`, "stem==1.8.2 --hash=sha256:"+hashB)
	f.Add(`{"sources": [{"name": "a", "needs": "Rust"}], "error": "x"}`, "")
	f.Fuzz(func(t *testing.T, result, lockFile string) {
		list, files := recorded(result)
		files["minimal.lock.txt"] = []byte(lockFile)
		locked, err := parseList(list, files, nil)
		if err != nil {
			return
		}
		again, err := lock.ParsePackages("fuzz", locked.Requirements.Format(), locked.FormatTOML())
		require.NoError(t, err)
		require.Equal(t, locked.FormatTOML(), again.FormatTOML())
	})
}

func FuzzParseTools(f *testing.F) {
	f.Add([]byte(`{"uv": {"x86_64": {"version": "0.13.9", "sha256": "aa"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tools, err := parseTools(data)
		if err == nil {
			require.Len(t, tools.UV.SHA256, 2)
			require.Len(t, tools.Zig.SHA256, 2)
		}
	})
}

// The Alpine base has the smallest tier alone: the others need nothing for musl.
func TestTierTargets(t *testing.T) {
	require.Equal(t, lock.WheelTargets(), tierTargets(lock.Minimal))
	require.Equal(t, []string{"manylinux_2_36_x86_64", "manylinux_2_36_aarch64"}, tierTargets(lock.Standard))
}

func TestNoWheelErrors(t *testing.T) {
	list, files := recorded(`{"sources": [{"name": "a", "needs": "Rust"}, {"name": "b", "says": "x"}]}`)
	_, err := parseList(list, files, nil)
	require.Len(t, noWheelErrors(err), 2)
	require.Empty(t, noWheelErrors(errors.New("other")))
}
