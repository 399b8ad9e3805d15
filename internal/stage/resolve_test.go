package stage

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/llbtext"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// python calls a function, "MODULE.FUNCTION" of the scripts here, once for each list
// of arguments.
func python(t *testing.T, function string, calls ...[]any) []any {
	t.Helper()
	given, err := json.Marshal(calls)
	require.NoError(t, err)
	module, name, _ := strings.Cut(function, ".")
	out := runPython(t, "import importlib, json, sys\ncall = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])\n"+
		"json.dump([call(*c) for c in json.loads(sys.argv[3])], sys.stdout)", module, name, string(given))
	var results []any
	require.NoError(t, json.Unmarshal(out, &results))
	require.Len(t, results, len(calls))
	return results
}

// runPython runs a program that can import the scripts here and returns what it
// prints.
func runPython(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Python, which takes seconds")
	}
	cmd := exec.Command("python3", append([]string{"-c", program}, args...)...)
	// The bytecode of Python's own pip is used, and that of the scripts is left nowhere.
	cmd.Env = append(os.Environ(), "PYTHONPATH=.:"+os.Getenv("PYTHONPATH"), "SOURCE_DATE_EPOCH=0", "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if strings.Contains(stderr.String(), "No module named 'pip'") || strings.Contains(stderr.String(), "No module named 'tomllib'") {
		require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "needs Python 3.11 with pip: "+stderr.String())
		t.Skip("needs Python 3.11 with pip: " + stderr.String())
	}
	require.NoError(t, err, stderr.String())
	return out
}

// uv makes and removes directories in its cache while other resolutions read it.
func TestIndexCacheChangesMeanwhile(t *testing.T) {
	pages := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(pages, "simple-v1", "pypi"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(pages, "simple-v1", "pypi", "six.rkyv"), nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(pages, ".lock"), nil, 0o666))
	require.NoError(t, os.Chmod(filepath.Join(pages, ".lock"), 0o666))
	out := runPython(t, `
import json, subprocess, sys
from pathlib import Path
import cache
cache.PAGES = Path(sys.argv[1])
churn = subprocess.Popen([sys.executable, "-c", """
import os, shutil, sys
while True:
    for i in range(20):
        os.makedirs(f"{sys.argv[1]}/.tmp{i}/a")
        open(f"{sys.argv[1]}/.tmp{i}/b.lock", "w").close()
    for i in range(20):
        shutil.rmtree(f"{sys.argv[1]}/.tmp{i}")
""", sys.argv[1]])
cache.usable = lambda: True
cache.give = lambda directory: directory
try:
    for i in range(300):
        cache.OWN = Path(sys.argv[2]) / str(i)
        cache.builder()
        cache.own.__wrapped__()
        pages = cache.pages_since(0)
finally:
    churn.kill()
    churn.wait()
print(json.dumps([sorted(pages), (cache.OWN / "simple-v1/pypi/six.rkyv").is_symlink()]))
`, pages, t.TempDir())
	require.JSONEq(t, `[["six"], true]`, string(out))
	info, err := os.Stat(filepath.Join(pages, ".lock"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), info.Mode(), "a source's own code may not write it")
}

// What a wheel's file name says (PEP 425, 600, 656), for CPython 3.11 on Debian
// 12 and on Alpine.
func TestFits(t *testing.T) {
	targets := lock.WheelTargets()
	cases := map[string]string{ // the targets that it fits, by number
		"a-1-py3-none-any.whl":     "0123",
		"a-1-py2.py3-none-any.whl": "0123",
		"a-1-py2-none-any.whl":     "",
		"a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl":                   "0",
		"a-1-cp311-cp311-manylinux1_x86_64.whl":                                            "0",
		"a-1-cp311-cp311-manylinux2010_x86_64.whl":                                         "0",
		"a-1-cp311-cp311-manylinux2014_aarch64.whl":                                        "1",
		"a-1-cp311-cp311-manylinux_2_36_aarch64.whl":                                       "1",
		"a-1-cp311-cp311-manylinux_2_37_aarch64.whl":                                       "",
		"a-1-cp36-abi3-manylinux2014_aarch64.whl":                                          "1",
		"a-1-cp312-abi3-manylinux2014_aarch64.whl":                                         "",
		"a-1-cp310-cp310-manylinux2014_aarch64.whl":                                        "",
		"a-1-cp311-cp311-musllinux_1_1_x86_64.whl":                                         "2",
		"a-1-cp37-abi3-musllinux_1_2_aarch64.whl":                                          "3",
		"a-1-cp311-cp311-musllinux_1_3_aarch64.whl":                                        "",
		"a-1-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl": "02",
		"a-1-cp311-cp311-macosx_11_0_arm64.whl":                                            "",
		"a-1-cp311-cp311-win_amd64.whl":                                                    "",
		"a-1-pp310-pypy310_pp73-manylinux2014_x86_64.whl":                                  "",
		"a-1.2.3.exe": "",
		"a-1-1x-cp311-cp311-manylinux2014_aarch64.whl":          "1", // with a build tag
		"a-not.a-version-cp311-cp311-manylinux2014_aarch64.whl": "",
	}
	var names []string
	var calls [][]any
	for name := range cases {
		for _, target := range targets {
			names, calls = append(names, name), append(calls, []any{name, target})
		}
	}
	got := map[string]string{}
	for i, fits := range python(t, "fitting.fits", calls...) {
		got[names[i]] += map[bool]string{true: string(rune('0' + i%len(targets)))}[fits.(bool)]
	}
	require.Equal(t, cases, got)
}

// recordedLock is what uv writes of a package, cut short, as JSON.
const recordedLock = `{"name": "pymongo", "version": "4.6.0", "sdist": {"name": "pymongo-4.6.0.tar.gz"}, "wheels": [
	{"url": "https://index.invalid/aa/pymongo-4.6.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"},
	{"url": "https://index.invalid/bb/pymongo-4.6.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl?x=y"},
	{"name": "pymongo-4.6.0-cp311-cp311-win32.whl", "url": "https://index.invalid/cc"}]}`

func TestWithoutWheel(t *testing.T) {
	all := lock.WheelTargets()
	var names []string
	var calls [][]any
	want := map[string]any{}
	for name, c := range map[string]struct {
		edit    func(p map[string]any)
		targets []string
		want    []any
	}{
		"no wheel for musl":   {func(map[string]any) {}, all, []any{all[2], all[3]}},
		"glibc alone":         {func(map[string]any) {}, all[:2], []any{}},
		"no wheel":            {func(p map[string]any) { delete(p, "wheels") }, all, []any{all[0], all[1], all[2], all[3]}},
		"Windows alone":       {func(p map[string]any) { p["marker"] = "sys_platform == 'win32'" }, all, []any{}},
		"one machine":         {func(p map[string]any) { p["marker"] = "platform_machine == 'aarch64'" }, all, []any{all[3]}},
		"a newer Python":      {func(p map[string]any) { p["marker"] = "python_full_version >= '3.12'" }, all, []any{}},
		"this implementation": {func(p map[string]any) { p["marker"] = "platform_python_implementation != 'PyPy'" }, all, []any{all[2], all[3]}},
	} {
		var p map[string]any
		require.NoError(t, json.Unmarshal([]byte(recordedLock), &p))
		c.edit(p)
		names, calls = append(names, name), append(calls, []any{p, c.targets, "3.11.2"})
		want[name] = c.want
	}
	got := map[string]any{}
	for i, lacking := range python(t, "fitting.without_wheel", calls...) {
		got[names[i]] = lacking
	}
	require.Equal(t, want, got)
}

// A build requirement keeps the wheels of the build platforms alone.
func TestBuildLine(t *testing.T) {
	file := func(tag, hash string) map[string]any {
		return map[string]any{"name": "cython-0.29.37-" + tag + ".whl", "hashes": map[string]string{"sha256": strings.Repeat(hash, 64)}}
	}
	p := map[string]any{"name": "cython", "version": "0.29.37", "wheels": []any{
		file("cp311-cp311-manylinux2014_x86_64", "b"), file("cp311-cp311-manylinux2014_aarch64", "a"),
		file("cp311-cp311-musllinux_1_1_x86_64", "c"), file("cp311-cp311-win32", "d"),
	}}
	colorama := map[string]any{"name": "colorama", "version": "1", "marker": "sys_platform == 'win32'"}
	arm := map[string]any{
		"name": "arm", "version": "1", "marker": "platform_machine == 'aarch64'", "wheels": []any{file("cp311-cp311-manylinux2014_aarch64", "a")},
	}
	got := python(t, "source.build_line", []any{p, "3.11.2"}, []any{colorama, "3.11.2"}, []any{arm, "3.11.2"})
	hash := func(h string) string { return " \\\n    --hash=sha256:" + strings.Repeat(h, 64) }
	require.Equal(t, []any{
		"cython==0.29.37" + hash("a") + hash("b") + "\n", "", "arm==1 ; platform_machine == 'aarch64'" + hash("a") + "\n",
	}, got)
	for _, line := range got {
		_, err := lock.ParseRequirements("build", []byte(line.(string)))
		require.NoError(t, err)
	}
}

// A source is built with the newest of what it asks for, or else with what there
// was when it was published. One that compiles nothing is the last choice.
func TestFirstUsable(t *testing.T) {
	const classes = `
import source
class Trial:
    def __init__(self, name, outcome): self.name, self.outcome = name, outcome
    def prepare(self, trial):
        if self.outcome in ("pure", "compiled"): return self.outcome == "pure"
        raise source.Idle(says="idle") if self.outcome == "idle" else source.Unusable(**self.outcome)
def call(*outcomes):
    try:
        build, pure = source.first_usable([Trial(i, o) for i, o in enumerate(outcomes)], True)
        return [build.name, pure]
    except source.Unusable as e: return str(e)
`
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trials.py"), []byte(classes), 0o600))
	t.Setenv("PYTHONPATH", dir)
	failed, rust := map[string]string{"says": "failed"}, map[string]string{"needs": "Rust"}
	var calls [][]any
	var want []any
	for _, c := range []struct {
		outcomes []any
		want     any
	}{
		{[]any{"pure", failed}, []any{0.0, true}},
		{[]any{"compiled", failed}, []any{0.0, false}},
		{[]any{failed, "compiled"}, []any{1.0, false}},
		{[]any{"idle", "compiled"}, []any{1.0, false}},
		{[]any{"idle", failed}, []any{0.0, false}},
		{[]any{"idle", "idle"}, []any{0.0, false}},
		{[]any{failed, "idle"}, []any{1.0, false}},
		{[]any{failed, map[string]string{"says": "failed again"}}, "failed"},
		{[]any{rust, "compiled"}, "Rust"},
	} {
		calls, want = append(calls, c.outcomes), append(want, c.want)
	}
	require.Equal(t, want, python(t, "trials.call", calls...))
}

// A list that includes others brings them along; with a locked uv nothing else is
// looked for.
func TestResolveGraph(t *testing.T) {
	locks, err := lock.Default()
	require.NoError(t, err)
	b, _ := NewBuilder(locks.Debian, lucidbase.LinuxAMD64)
	text := func(r Resolution) string {
		def, err := b.Resolve(r).Marshal(context.Background())
		require.NoError(t, err)
		ops, err := llbtext.Ops(def)
		require.NoError(t, err)
		return llbtext.Text(ops)
	}
	r := Resolution{
		Version: "3.11.2", Files: map[string][]byte{"a/b.txt": []byte("-r ../c.txt\n"), "c.txt": []byte("psutil\n")},
		Lists: []List{{Name: "requirements", File: "a/b.txt", Targets: lock.WheelTargets()}},
	}
	newest := text(r)
	require.Contains(t, newest, "mkdir /a ")
	require.Contains(t, newest, "mkfile /a/b.txt ")
	require.NotContains(t, newest, "install uv")
	r.UV, err = locks.Tools.Requirements("linux/amd64")
	require.NoError(t, err)
	require.Contains(t, text(r), "install uv")
}

// Of a package's files those stay that have a hash of the list's, if it has any of
// that version.
func TestAllowed(t *testing.T) {
	const wheel, sdist = `{"name": "a-1.0-py3-none-any.whl", "hashes": {"sha256": "w"}}`, `{"name": "a-1.0.tar.gz", "hashes": {"sha256": "s"}}`
	var a map[string]any
	require.NoError(t, json.Unmarshal([]byte(`{"name": "a", "version": "1.0", "sdist": `+sdist+`, "wheels": [`+wheel+`]}`), &a))
	pin := func(version string, hashes ...string) map[string]any {
		return map[string]any{"name": "a", "version": version, "hashes": hashes}
	}
	var got []any
	for _, r := range python(t, "fitting.allowed",
		[]any{a, []any{}}, []any{a, []any{pin("2", "sha256:x")}}, []any{a, []any{pin("1", "sha256:x", "sha256:w")}},
		[]any{a, []any{pin("1.0.0", "sha256:s", "sha256:w")}}, []any{a, []any{pin("1", "sha256:w"), pin("1", "sha256:s")}},
	) {
		got = append(got, r.([]any)[1])
		_, source := r.([]any)[0].(map[string]any)["sdist"]
		got = append(got, source)
	}
	require.Equal(t, []any{
		nil, true, nil, true, []any{"sha256:w"}, false, []any{"sha256:s", "sha256:w"}, true, []any{}, false,
	}, got)
}
