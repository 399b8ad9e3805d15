//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// ownLock is a directory with a list of requirements.
type ownLock struct {
	shared
	dir string
}

func (o ownLock) list(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(o.dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func (o ownLock) lock(t *testing.T, args ...string) result {
	t.Helper()
	return o.run(t, command{dir: o.dir, args: append([]string{"lock", "-r", "requirements.txt", "--cache-dir", o.lockCache(), "--progress", "quiet"}, args...)})
}

// The versions are pinned: their files never change.
func TestLockRequirements(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	const six = "sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254" // its wheel
	o.list(t, "requirements.txt", "psutil==5.9.6\n-r more/list.txt\npywin32==306; sys_platform == 'win32'\n--pre\nclick>7.1.2,<=8.0.0,!=8.0.0\nsix==1.16.0 \\\n    --hash="+six+"\n")
	o.list(t, "more/list.txt", "PyYAML==6.0.1\nstem==1.8.2\nmsgpack==1.0.5\n--no-binary tomli\ntomli==2.0.1\n")
	res := o.lock(t)
	require.Zero(t, res.code, res.stderr)
	const psutil = "psutil 5.9.6: compiled from source for manylinux_2_36_aarch64, musllinux_1_2_x86_64, musllinux_1_2_aarch64: no wheel is published for them\n"
	require.Contains(t, res.stderr, "lucidbase: "+psutil)
	require.Contains(t, res.stdout, "source "+strings.Replace(psutil, "psutil", "psutil added", 1))
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	reqs := locked.Requirements
	require.Len(t, reqs, 7)
	require.Equal(t, []string{six}, find(reqs, "six").Hashes, "no others than the list's")
	require.Equal(t, "8.0.0rc1", find(reqs, "click").Version, "--pre")
	require.Contains(t, res.stderr, "warning: requirements.txt: line 1: psutil==5.9.6: it has no hash")
	byName := map[string]*lock.Sdist{}
	for _, r := range locked.Requirements {
		if r.Sdist != nil {
			byName[r.Name] = r.Sdist
		}
	}
	require.Len(t, byName, 4)
	require.Equal(t, []string{"manylinux_2_36_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}, byName["psutil"].Targets)
	require.Equal(t, "e4b92ddcd7dd4cdd3f900180ea1e104932c7bce234fb88976e2a3b296441225a", byName["psutil"].SHA256)
	require.Equal(t, []string{lock.AnyTarget}, byName["stem"].Targets, "pure")
	require.Equal(t, []string{lock.AnyTarget}, byName["tomli"].Targets, "its wheel is not wanted")
	require.Equal(t, "flit-core", byName["tomli"].Build[0].Name)
	require.Equal(t, []string{"musllinux_1_2_aarch64"}, byName["pyyaml"].Targets)
	require.Equal(t, []string{"libyaml-dev"}, byName["pyyaml"].Libraries)
	cython := find(byName["pyyaml"].Build, "cython")
	require.True(t, strings.HasPrefix(cython.Version, "0."), "its bound is Cython<3: %s", cython.Version)

	for _, name := range []string{"requirements.lock.txt", "requirements.lock.toml"} {
		data, err := os.ReadFile(filepath.Join(o.dir, name))
		require.NoError(t, err)
		require.NotContains(t, string(data), "://", "no host is named")
	}
	res = o.lock(t, "--check")
	require.Zero(t, res.code, res.stdout+res.stderr)
	require.Empty(t, res.stdout)

	// For one base image, nothing has to be compiled that has its wheels.
	o.list(t, "requirements.txt", "psutil==5.9.6\n")
	res = o.lock(t, "--target", "manylinux_2_36_x86_64")
	require.Zero(t, res.code, res.stderr)
	require.Contains(t, res.stdout, "source psutil removed 5.9.6: ")
	locked, err = lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	require.Equal(t, []string{"manylinux_2_36_x86_64"}, locked.Targets)
	require.Nil(t, locked.Requirements[0].Sdist)
	require.Contains(t, locked.Requirements[0].Wheels[0].Name, "x86_64")
}

func find(reqs lock.Requirements, name string) lock.Requirement {
	for _, r := range reqs {
		if r.Name == name {
			return r
		}
	}
	return lock.Requirement{}
}

// What no build can compile is reported when it is locked, and nothing is written.
func TestLongLockRequirementsUnbuildable(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	for _, c := range []struct {
		list, target string
		says         []string
	}{
		{"orjson==3.8.0", "musllinux_1_2_aarch64", []string{"musllinux_1_2_aarch64", "needs a Rust compiler", "3.8."}},
		{"scipy==1.9.3", "musllinux_1_2_x86_64", []string{"musllinux_1_2_x86_64", "needs a Fortran compiler", "1."}},
		{"psycopg2==2.9.9", "manylinux_2_36_aarch64", []string{"manylinux_2_36_aarch64", "pg_config executable not found (psycopg2-binary is the same, published as wheels)"}},
		{"six==1.16.0 --hash=sha256:" + strings.Repeat("0", 64), "manylinux_2_36_x86_64", []string{"requirements.txt: line 1:", "the index has no file of six 1.16.0 with this hash"}},
		{"psutil==5.9.6\n--only-binary psutil", "musllinux_1_2_x86_64", []string{"line 1: psutil==5.9.6: no wheel for musllinux_1_2_x86_64, and line 2 forbids to compile it"}},
		{"pywin32==306", "manylinux_2_36_x86_64", []string{"it is for another system", "no source"}},
	} {
		t.Run(c.list, func(t *testing.T) {
			o := ownLock{s, t.TempDir()}
			o.list(t, "requirements.txt", c.list+"\n")
			res := o.lock(t, "--target", c.target)
			require.Equal(t, 1, res.code, res.stdout)
			require.Empty(t, res.stdout)
			for _, part := range append(c.says, strings.Split(c.list, "==")[0]) {
				require.Contains(t, res.stderr, part)
			}
			require.Len(t, contents(t, o.dir), 1, "nothing is written")
		})
	}
}

// An old source that does not build with the newest setuptools is built by the one
// that there was when it was published.
func TestLockRequirementsOldSource(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	o.list(t, "requirements.txt", "grpcio==1.50.0\n")
	res := o.lock(t, "--target", "musllinux_1_2_aarch64")
	require.Zero(t, res.code, res.stderr)
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	require.Equal(t, "65.5.0", find(find(locked.Requirements, "grpcio").Sdist.Build, "setuptools").Version, "the newest on the day after grpcio 1.50.0")
}

// A lock is for CPython 3.11 on Linux: packages that have newer versions for newer
// Pythons come in one, and what Windows needs neither comes nor is in the way.
func TestLongLockRequirementsTargets(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	o.list(t, "requirements.txt", "numpy\ndjango\nbeautifulsoup4==4.12.3\ndocker==5.0.3\nredis\nno-such-project-of-ours==1; os_name == 'nt'\n"+
		"idna==3.6; platform_machine == 'x86_64'\nidna==3.7; platform_machine == 'aarch64'\n")
	res := o.lock(t)
	require.Zero(t, res.code, res.stderr)
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	reqs := locked.Requirements
	markers := map[string][]string{}
	for _, r := range reqs {
		markers[r.Name] = append(markers[r.Name], r.Marker)
	}
	require.ElementsMatch(t, []string{"platform_machine == 'x86_64'", "platform_machine == 'aarch64'"}, markers["idna"])
	require.Equal(t, []string{"python_full_version < '3.11.3'"}, markers["async-timeout"], "Alpine's Python has its own")
	delete(markers, "idna")
	delete(markers, "async-timeout")
	for name, all := range markers {
		require.Equal(t, []string{""}, all, name)
	}
	require.NotEmpty(t, markers["docker"])
	require.Empty(t, markers["pywin32"])

	// What an image refuses is said with who asks for it; what "pip freeze" adds is
	// left out.
	o.list(t, "requirements.txt", "gunicorn==20.1.0\nsetuptools==69.5.1\npip==23.0.1\nwheel==0.40.0\npkg_resources==0.0.0\npython-daemon==2.3.1\nidna==3.6\n")
	res = o.lock(t, "--target", "manylinux_2_36_x86_64")
	require.Zero(t, res.code, res.stderr)
	for _, line := range []string{
		"line 3: pip==23.0.1: left out", "line 4: wheel==0.40.0: left out", "line 5: pkg_resources==0.0.0: left out",
		"line 1: gunicorn==20.1.0: it needs setuptools>=3.0, which no image may have (rule package-manager): the nearest version that does not is gunicorn==21.0.0",
		"line 6: python-daemon==2.3.1: it needs setuptools, which", "line 6: python-daemon==2.3.1: it was yanked from the index: Incorrectly declares Python 2 support",
	} {
		require.Contains(t, res.stderr, "lucidbase: requirements.txt: "+line)
	}
	locked, err = lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	reqs = locked.Requirements
	require.Equal(t, "69.5.1", find(reqs, "setuptools").Version, "it is needed")
	require.Equal(t, "3.6", find(reqs, "idna").Version)
	require.Empty(t, find(reqs, "pip").Name)
	require.Empty(t, find(reqs, "wheel").Name)
}
