//go:build linux

package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// wheelOf is a pure wheel of version 1.0 with a true RECORD.
func wheelOf(t *testing.T, name string, files map[string]string) []byte {
	t.Helper()
	info := name + "-1.0.dist-info/"
	all := map[string]string{
		info + "METADATA": "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n",
		info + "WHEEL":    "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
	}
	maps.Copy(all, files)
	var data bytes.Buffer
	archive := zip.NewWriter(&data)
	var record strings.Builder
	write := func(at, text string) {
		w, err := archive.Create(at)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(text))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", at, base64.RawURLEncoding.EncodeToString(sum[:]), len(text))
	}
	for _, at := range slices.Sorted(maps.Keys(all)) {
		write(at, all[at])
	}
	write(info+"RECORD", record.String()+info+"RECORD,,\n")
	require.NoError(t, archive.Close())
	return data.Bytes()
}

// serveWheels lets an index have wheels of version 1.0, and returns their lock.
func serveWheels(t *testing.T, wheels map[string]map[string]string) lock.Packages {
	t.Helper()
	served := map[string][]byte{}
	locked := lock.Packages{Targets: lock.WheelTargets()}
	for _, name := range slices.Sorted(maps.Keys(wheels)) {
		data := wheelOf(t, name, wheels[name])
		file := name + "-1.0-py3-none-any.whl"
		served[file] = data
		sum := sha256.Sum256(data)
		wheel := lock.Wheel{Name: file, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Targets: locked.Targets}
		locked.Requirements = append(locked.Requirements, lock.Requirement{
			Name: strings.ReplaceAll(name, "_", "-"), Version: "1.0", Hashes: []string{"sha256:" + wheel.SHA256}, Wheels: []lock.Wheel{wheel},
		})
	}
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		file := strings.ReplaceAll(name, "-", "_") + "-1.0-py3-none-any.whl"
		switch {
		case served[name] != nil:
			_, _ = w.Write(served[name])
		case served[file] != nil:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<a href="/%s">%s</a>`, file, file)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(index.Close)
	t.Setenv("UV_EXTRA_INDEX_URL", index.URL)
	return locked
}

// lastLayer builds an image of wheels, and returns the digest of their layer.
func lastLayer(t *testing.T, eng *engine.Engine, dir string, packages lock.Packages, waivers ...verify.Waiver) (string, error) {
	t.Helper()
	spec := variants.Bare{Packages: packages, Waivers: waivers}
	platform, err := lucidbase.ParsePlatform("linux/" + runtime.GOARCH)
	require.NoError(t, err)
	_, err = eng.Build(t.Context(), engine.Job{Spec: spec, Platforms: []ocispecs.Platform{platform}, To: engine.Layout(dir, "lucid/shipped")})
	if err != nil {
		return "", err
	}
	layers, err := platformImage(t, onlyIndex(t, dir), "linux", runtime.GOARCH).Layers()
	require.NoError(t, err)
	digest, err := layers[len(layers)-1].DiffID()
	require.NoError(t, err)
	return digest.String(), nil
}

// What wheels bring beside modules: bytecode, scripts of all kinds, data, headers,
// a .pth file. What cannot be used in an image is left out of RECORD too.
func TestLongWheelsAsTheyCome(t *testing.T) {
	needEngine(t)
	const data = "lucid_test_shipped-1.0.data/"
	packages := serveWheels(t, map[string]map[string]string{"lucid_test_shipped": {
		"shipped/__init__.py":                          "def main():\n    print('from its source')\n",
		"shipped/__pycache__/__init__.cpython-311.pyc": "bytecode of something else",
		"shipped/legacy.py":                            "",
		"shipped/legacy.pyc":                           "bytecode of something else",
		"shipped-nspkg.pth":                            "import sys, types; sys.modules.setdefault('shipped_space', types.ModuleType('shipped_space'))\n",
		data + "scripts/s-python":                      "#!python\r\nimport shipped; shipped.main()\n",
		data + "scripts/s-env":                         "#!/usr/bin/env python3\nimport shipped; shipped.main()\n",
		data + "scripts/s-shell":                       "#!/bin/sh\necho hi\n",
		data + "scripts/s-bare":                        "print('for a shell to read')\n",
		data + "data/share/shipped/data.txt":           "data",
		data + "headers/shipped.h":                     "int x;\n",
		// An extra that an entry point names is ignored, as installers do.
		"lucid_test_shipped-1.0.dist-info/entry_points.txt": "[console_scripts]\ns-entry = shipped:main [absent]\n",
	}})
	eng := wheelEngine(t, nil)
	dir := filepath.Join(t.TempDir(), "shipped")
	_, err := lastLayer(t, eng, dir, packages)
	require.NoError(t, err)
	img := platformImage(t, onlyIndex(t, dir), "linux", runtime.GOARCH)
	c := newContainer(t, img)
	for _, script := range []string{"s-python", "s-env", "s-entry"} {
		res := c.run(t, script)
		require.Equal(t, "from its source\n", res.stdout, res.stderr)
	}
	res := c.run(t, "python", "-c", "import sys; print(sys.modules['shipped_space'].__name__)")
	require.Equal(t, "shipped_space\n", res.stdout, res.stderr)
	res = c.run(t, "python", "-c", `
import importlib.metadata as m
files = m.files("lucid-test-shipped")
print(*sorted(f.name for f in files if f.locate().is_file()))
print(*[f for f in files if not f.locate().is_file()])`)
	require.Equal(t, "METADATA RECORD WHEEL __init__.py data.txt entry_points.txt legacy.py s-bare s-entry s-env s-python shipped-nspkg.pth shipped.h\n\n", res.stdout, res.stderr)
}

// Two wheels with one path stop the build, unless that is waived. Then the last by
// name has the file, in whatever order they are listed and unpacked.
func TestWheelsWithOnePath(t *testing.T) {
	needEngine(t)
	const site = "/opt/venv/lib/python3.11/site-packages/"
	wheels := map[string]map[string]string{}
	for i, name := range []string{"lucid_test_a", "lucid_test_b", "lucid_test_c", "lucid_test_d"} {
		wheels[name] = map[string]string{"fought/over.py": "NAME = '" + name + "'\n" + strings.Repeat("#\n", i), "fought/__init__.py": "", "tests/__init__.py": ""}
	}
	packages := serveWheels(t, wheels)
	eng := wheelEngine(t, nil)
	dir := filepath.Join(t.TempDir(), "fought")
	_, err := lastLayer(t, eng, dir, packages)
	require.ErrorContains(t, err, "collision: "+site+"fought/over.py: lucid_test_a-1.0, lucid_test_b-1.0, lucid_test_c-1.0 and lucid_test_d-1.0 install it with different content; it is that of lucid_test_d-1.0")

	waiver := verify.Waiver{Rule: "collision", Path: site + "fought/over.py", Reason: "a test"}
	first, err := lastLayer(t, eng, dir, packages, waiver)
	require.NoError(t, err)
	slices.Reverse(packages.Requirements)
	again, err := lastLayer(t, eng, dir, packages, waiver)
	require.NoError(t, err)
	require.Equal(t, first, again)
	img := platformImage(t, onlyIndex(t, dir), "linux", runtime.GOARCH)
	c := newContainer(t, img)
	res := c.run(t, "python", "-c", "from fought.over import NAME; print(NAME)")
	require.Equal(t, "lucid_test_d\n", res.stdout, res.stderr)
}
