//go:build linux

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// backend is a build backend without requirements: what a case adds runs in
// build_wheel(out).
const backend = `
import os, subprocess, urllib.request, zipfile

def wheel(name, tag="cp311-cp311-linux_aarch64", files=(), out=None):
    path = f"{out}/{name}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as z:
        for file in files:
            z.write(file)
        z.writestr(f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
        z.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: x\n")
        z.writestr(f"{name}.dist-info/RECORD", "")
    return os.path.basename(path)

def compile(code, *flags, **env):
    with open("bad.c", "w") as f:
        f.write(code)
    subprocess.run([os.environ["CC"], "-shared", "-o", "bad.so", "bad.c", *flags], check=True, env={**os.environ, **env})
    return ["bad.so"]

def build_wheel(out, settings=None, metadata=None):
`

// badSource serves a source whose build runs the given lines, and returns its lock.
func badSource(t *testing.T, body string) lock.Requirement {
	t.Helper()
	var data bytes.Buffer
	zip := gzip.NewWriter(&data)
	archive := tar.NewWriter(zip)
	for name, text := range map[string]string{
		"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n",
		"backend.py":     backend + "    " + strings.ReplaceAll(body, "\n", "\n    ") + "\n",
	} {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: "bad-1.0/" + name, Mode: 0o644, Size: int64(len(text))}))
		_, err := archive.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zip.Close())
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".tar.gz"):
			_, _ = w.Write(data.Bytes())
		case path.Base(r.URL.Path) == "lucid-test-bad":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<a href="/lucid_test_bad-1.0.tar.gz">lucid_test_bad-1.0.tar.gz</a>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(index.Close)
	// The tools still come from the index that this machine uses.
	t.Setenv("PIP_EXTRA_INDEX_URL", index.URL)
	sum := sha256.Sum256(data.Bytes())
	return lock.Requirement{Name: "lucid-test-bad", Version: "1.0", Sdist: &lock.Sdist{
		SHA256: hex.EncodeToString(sum[:]), Targets: []string{"manylinux_2_36_aarch64"},
	}}
}

// compileOne returns the stage of a source's wheel for ARM64 Debian, and its inputs.
func compileOne(t *testing.T, locks *lock.Set, r lock.Requirement) (llb.State, []lucidbase.Input) {
	t.Helper()
	build, err := lucidbase.ParsePlatform("linux/" + runtime.GOARCH)
	require.NoError(t, err)
	b, inputs := stage.NewBuilder(locks.Debian, build)
	wheels, more, err := stage.Compiler{Builder: b, Locks: locks}.Wheels(lock.Requirements{r}, arm64Debian)
	require.NoError(t, err)
	return wheels[0], append(inputs, more...)
}

var arm64Debian = stage.Target{Platform: lucidbase.LinuxARM64, Version: "3.11.2", Prefix: "/usr"}

const good = `return wheel("lucid_test_bad-1.0", files=compile("int f(void) { return 1; }"), out=out)`

func TestLongBadWheels(t *testing.T) {
	needEngine(t)
	locks, err := lock.Default()
	require.NoError(t, err)
	eng := wheelEngine(t, nil)
	for _, c := range []struct{ name, body, says string }{
		{"good", good, ""},
		{"shell, make, and what configure scripts are told", `subprocess.run("set -e; . $CONFIG_SITE; test $cross_compiling = yes; test $host_alias = aarch64-linux-gnu; echo 'x:;touch $@' | make -f - x; ls x | sed s/x/y/", shell=True, check=True)
` + good, ""},
		{"network", `urllib.request.urlopen("http://lucid.invalid/")`, "asks for the network, and there is none: URLError: <urlopen error"},
		{"writes to /etc", `open("/etc/evil", "w")`, "writes outside its directory: Read-only file system: '/etc/evil'"},
		{"writes to the interpreter", `open("/usr/lib/python3.11/evil.py", "w")`, "writes outside its directory: "},
		{"writes to its environment", `open("/env/bin/evil", "w")`, "writes outside its directory: "},
		{"writes to the compiler", `open("/opt/zig/ziglang/zig", "ab")`, "writes outside its directory: "},
		{"writes to the step", `open("/wheel/wheel.py", "a")`, "writes outside its directory: "},
		{"other name", `return wheel("other-1.0", files=compile("int x;"), out=out)`, "makes a wheel of other 1.0"},
		{"other version", `return wheel("lucid_test_bad-1.0.1", files=compile("int x;"), out=out)`, "makes a wheel of lucid-test-bad 1.0.1"},
		{"no wheel", `return "x"`, "leaves nothing: not one wheel"},
		{"two wheels", "wheel('a-1', out=out)\nwheel('b-1', out=out)", "leaves a-1-cp311-cp311-linux_aarch64.whl, b-1-"},
		{"other CPU's tag", `return wheel("lucid_test_bad-1.0", "cp311-cp311-linux_x86_64", compile("int x;"), out)`, "is tagged linux_x86_64"},
		{"other libc's tag", `return wheel("lucid_test_bad-1.0", "cp311-cp311-musllinux_1_2_aarch64", compile("int x;"), out)`, "is tagged musllinux_1_2_aarch64"},
		{"any, but compiled", `return wheel("lucid_test_bad-1.0", "py3-none-any", compile("int x;"), out)`, "tagged any, and bad.so is compiled"},
		{"other CPU", `return wheel("lucid_test_bad-1.0", files=compile("int x;", LUCID_TARGET="x86_64-linux-gnu.2.36"), out=out)`, "bad.so is for x86_64, not aarch64"},
		{"other libc", `return wheel("lucid_test_bad-1.0", files=compile("#include <stdio.h>\nint f(void) { return puts(\"\"); }", LUCID_TARGET="aarch64-linux-musl"), out=out)`, "bad.so needs libc.so, which the image does not have"},
		{"newer libc", `return wheel("lucid_test_bad-1.0", files=compile("#include <string.h>\nint f(char *a, char *b) { return strlcpy(a, b, 3); }", LUCID_TARGET="aarch64-linux-gnu.2.38"), out=out)`, "bad.so needs GLIBC_2.38, newer than Debian 12's"},
		{"small pages", `return wheel("lucid_test_bad-1.0", files=compile("int x;", "-Wl,-z,max-page-size=4096"), out=out)`, "bad.so is aligned to 4096 bytes, less than a page of 16384"},
		{"a library's path", `return wheel("lucid_test_bad-1.0", files=compile("int x;", "-Wl,-rpath,/nonexistent"), out=out)`, "bad.so looks for libraries in /nonexistent"},
		{"symbol of nobody", `return wheel("lucid_test_bad-1.0", files=compile("int nobody(void); int f(void) { return nobody(); }"), out=out)`, "bad.so needs the symbol nobody, which neither Python nor glibc has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state, inputs := compileOne(t, locks, badSource(t, c.body))
			_, err := eng.Resolver().ReadFiles(t.Context(), state, inputs, nil)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "building compile lucid-test-bad 1.0 for manylinux_2_36_aarch64: error: lucid-test-bad 1.0 for ")
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// A compiler says a lot: the first error is reported, all of it is in a file.
func TestBadWheelTellsTheFirstError(t *testing.T) {
	needEngine(t)
	locks, err := lock.Default()
	require.NoError(t, err)
	eng := wheelEngine(t, nil)
	source := badSource(t, `compile("int f(void) { return first_mistake; }\nint g(void) { return second; }\n")`)
	state, inputs := compileOne(t, locks, source)
	_, err = eng.Resolver().ReadFiles(t.Context(), state, inputs, nil)
	require.ErrorContains(t, err, ": bad.c:1:22: error: use of undeclared identifier 'first_mistake' (log: ")
	require.NotContains(t, err.Error(), "second")
	file := regexp.MustCompile(`\(log: (.*)\)`).FindStringSubmatch(err.Error())
	require.NotNil(t, file, err.Error())
	log, err := os.ReadFile(file[1])
	require.NoError(t, err)
	require.Contains(t, string(log), "first_mistake")
	require.Contains(t, string(log), "CalledProcessError")
	require.NoError(t, os.Remove(file[1]))

	// The same is known when it is locked.
	err = resolve.Try(t.Context(), eng.Resolver(), locks, lock.Packages{Requirements: lock.Requirements{source}})
	require.ErrorContains(t, err, "lucid-test-bad 1.0: no wheel for manylinux_2_36_aarch64, and its source cannot be compiled: bad.c:1:22: error: use of undeclared identifier 'first_mistake' (log: ")
	require.True(t, resolve.Explicable(err))
}

func TestLongBadSource(t *testing.T) {
	needEngine(t)
	locks, err := lock.Default()
	require.NoError(t, err)
	eng := wheelEngine(t, nil)
	source := badSource(t, good)
	right := source.Sdist.SHA256
	source.Sdist.SHA256 = strings.Repeat("0", 64)
	state, inputs := compileOne(t, locks, source)
	_, err = eng.Resolver().ReadFiles(t.Context(), state, inputs, nil)
	require.EqualError(t, err, "building fetch the source of lucid-test-bad 1.0: ERROR: lucid-test-bad 1.0: the source distribution's SHA-256 is "+
		right+", the lock says "+source.Sdist.SHA256)
	source = badSource(t, good)
	source.Version = "2.0"
	state, inputs = compileOne(t, locks, source)
	_, err = eng.Resolver().ReadFiles(t.Context(), state, inputs, nil)
	require.EqualError(t, err, "building fetch the source of lucid-test-bad 2.0: ERROR: lucid-test-bad 2.0: the index has no source distribution of this version")
}

// What the locks lack is reported before anything is built.
func TestBadCompilerLock(t *testing.T) {
	own, err := lock.Default()
	require.NoError(t, err)
	source := lock.Requirement{Name: "cffi", Version: "1", Sdist: &lock.Sdist{Targets: []string{"manylinux_2_36_aarch64"}, Libraries: []string{"libnone-dev"}}}
	for _, c := range []struct {
		edit func(*lock.Set)
		says string
	}{
		{func(*lock.Set) {}, "compiling cffi 1 for manylinux_2_36_aarch64: library libnone-dev: not among the headers in debian12.json"},
		{func(s *lock.Set) { s.Tools.Zig = lock.Tool{} }, "compiling cffi 1 for manylinux_2_36_aarch64: ziglang: not in tools.toml, and a source has to be compiled"},
		{func(s *lock.Set) {
			s.Tools.Zig = lock.Tool{Version: "0.1", SHA256: map[string]string{"linux/s390x": "x"}}
		}, "compiling cffi 1 for manylinux_2_36_aarch64: ziglang 0.1: no wheel locked for build platform linux/amd64"},
		{func(s *lock.Set) {
			bare := s.Debian.Platforms["linux/arm64"]
			bare.Headers = lock.Layer{}
			s.Debian.Platforms = map[string]lock.DebianPlatform{"linux/arm64": bare}
		}, "compiling cffi 1 for manylinux_2_36_aarch64: debian12.json: no headers are locked for linux/arm64, and a source has to be compiled"},
	} {
		locks := *own
		c.edit(&locks)
		b, _ := stage.NewBuilder(own.Debian, lucidbase.LinuxAMD64)
		_, _, err := stage.Compiler{Builder: b, Locks: &locks}.Wheels(lock.Requirements{source}, arm64Debian)
		require.EqualError(t, err, c.says)
	}
}
