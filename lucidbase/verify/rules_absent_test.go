package verify

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// breach is an image that breaks a rule, or does not: want lists the paths of the
// findings. The layers come on top of cleanLayer.
type breach struct {
	name   string
	layers [][]tarEntry
	config func(*v1.Config)
	want   []string
}

func one(entries ...tarEntry) [][]tarEntry { return [][]tarEntry{entries} }

func testRule(t *testing.T, rule string, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			config := cleanConfig()
			if b.config != nil {
				b.config(&config)
			}
			img := imageOf(t, config, append([][]tarEntry{cleanLayer()}, b.layers...)...)
			var paths []string
			for _, f := range findings(t, img, Contract{Only: []string{rule}}) {
				paths = append(paths, f.Path)
				require.NotEmpty(t, f.Found)
			}
			require.Equal(t, b.want, paths)
		})
	}
}

// checkWith checks an image of one layer more whose files were changed after Scan.
func checkWith(t *testing.T, rule string, change func(*File), entries ...tarEntry) []string {
	t.Helper()
	img := imageOf(t, cleanConfig(), cleanLayer(), entries)
	layers, err := img.Layers()
	require.NoError(t, err)
	facts, err := ScanAll(t.Context(), layers, nil)
	require.NoError(t, err)
	for i := range facts[1].Files {
		change(&facts[1].Files[i])
	}
	config, err := img.ConfigFile()
	require.NoError(t, err)
	var paths []string
	for _, f := range Check(config, facts, Contract{Only: []string{rule}}) {
		paths = append(paths, f.Path)
	}
	return paths
}

func TestShell(t *testing.T) {
	sh := program("/usr/bin/sh", "no real one, but called so")
	testRule(t, "shell", []breach{
		{name: "clean"},
		{name: "by name", layers: one(sh), want: []string{"/usr/bin/sh"}},
		{name: "with a suffix", layers: one(program("/opt/tools/busybox-1.36.1", "b")), want: []string{"/opt/tools/busybox-1.36.1"}},
		{name: "off PATH", layers: one(program("/srv/x/bash", "b")), want: []string{"/srv/x/bash"}},
		{name: "an ELF file that is not executable", layers: one(file("/srv/dash", tinyELF(0x3e))), want: []string{"/srv/dash"}},
		{name: "links", layers: one(sh, link("/usr/bin/ls", "sh"), link("/app/run", "/usr/bin/ls")), want: []string{"/app/run", "/usr/bin/ls", "/usr/bin/sh"}},
		{name: "a hard link", layers: one(sh, hardlink("/app/start", "/usr/bin/sh")), want: []string{"/app/start", "/usr/bin/sh"}},
		{name: "a copy", layers: one(program("/usr/bin/sh", strings.Repeat("s", minCopy)), program("/app/start", strings.Repeat("s", minCopy))), want: []string{"/app/start", "/usr/bin/sh"}},
		{name: "a link that leads nowhere yet", layers: one(link("/usr/bin/sh", "dash")), want: []string{"/usr/bin/sh"}},
		{name: "deleted later", layers: [][]tarEntry{{sh}, {whiteout("/usr/bin/sh")}}, want: []string{"/usr/bin/sh"}},
		{name: "deleted later with a link", layers: [][]tarEntry{{sh, link("/app/run", "/usr/bin/sh")}, {whiteout("/usr/bin/sh"), whiteout("/app/run")}}, want: []string{"/app/run", "/usr/bin/sh"}},
		{name: "replaced later", layers: [][]tarEntry{{program("/app/bash", "b")}, {file("/app/bash", "text")}}, want: []string{"/app/bash"}},
		{name: "through a linked directory", layers: one(link("/bin", "usr/bin"), program("/bin/ash", "a")), want: []string{"/bin/ash"}},
		{name: "rc in a directory of programs", layers: one(program("/usr/bin/rc", "r")), want: []string{"/usr/bin/rc"}},

		{name: "near: stand-ins of the same content", layers: one(sh, program("/app/start", "no real one, but called so")), want: []string{"/usr/bin/sh"}},
		{name: "near: text called sh", layers: one(file("/usr/share/doc/dash/sh", "how to"), program("/usr/share/doc/x/bash", "how to"))},
		{name: "near: directories", layers: one(dir("/opt/bash"), dir("/usr/share/zsh"), link("/opt/sh", "bash"))},
		{name: "near: completions", layers: one(file("/usr/share/bash-completion/bash_completion", "c"), program("/etc/profile.d/bash_completion.sh", "c"))},
		{name: "near: modules and libraries", layers: one(program("/app/sh.py", "s"), program("/usr/lib/libbash.so", tinyELF(0x3e)), program("/app/shlex", "s"))},
		{name: "near: rc elsewhere", layers: one(program("/etc/init.d/rc", "r"))},
		{name: "near: a link to a shell that is not there, by another name", layers: one(link("/usr/bin/ls", "/bin/busybox"))},
	})
}

func TestShellByContent(t *testing.T) {
	busybox := func(f *File) {
		if f.Kind == Regular && f.Size == 3 {
			f.Program = "busybox"
		}
	}
	require.Equal(t, []string{"/app/start", "/usr/bin/ls"},
		checkWith(t, "shell", busybox, program("/usr/bin/ls", "abc"), link("/app/start", "/usr/bin/ls"), program("/app/other", "abcd")))
	require.Equal(t, []string{"/app/data.bin"}, checkWith(t, "shell", busybox, file("/app/data.bin", "abc")))
}

func TestScript(t *testing.T) {
	sh := program("/usr/bin/sh", "s")
	testRule(t, "script", []breach{
		{name: "clean"},
		{name: "its shell is there", layers: one(sh, program("/app/run.sh", "#!/usr/bin/sh -e\n")), want: []string{"/app/run.sh"}},
		{name: "through env", layers: one(sh, program("/app/a", "#!/usr/bin/env sh\n"), program("/app/b", "#!/usr/bin/env -S A=b sh -e\n")), want: []string{"/app/a", "/app/b"}},
		{name: "not executable in a directory of programs", layers: one(sh, file("/usr/bin/tool", "#!/usr/bin/sh\n")), want: []string{"/usr/bin/tool"}},
		{name: "through a link of another name", layers: one(sh, link("/usr/bin/run", "sh"), program("/app/a", "#!/usr/bin/run\n")), want: []string{"/app/a"}},
		{name: "BusyBox", layers: one(program("/usr/bin/busybox", "b"), link("/usr/bin/sh", "busybox"), program("/app/x", "#!/usr/bin/busybox sh\n"), program("/app/y", "#!/usr/bin/sh\n")), want: []string{"/app/x", "/app/y"}},
		{name: "both deleted later", layers: [][]tarEntry{{sh, program("/app/a", "#!/usr/bin/sh\n")}, {whiteout("/app/a"), whiteout("/usr/bin/sh")}}, want: []string{"/app/a"}},

		{name: "near: its shell is not there", layers: one(program("/app/a", "#!/usr/bin/sh\n"), program("/app/b", "#!/usr/bin/env bash\n"))},
		{name: "near: its shell was deleted", layers: [][]tarEntry{{sh, program("/app/a", "#!/usr/bin/sh\n")}, {whiteout("/usr/bin/sh")}}},
		{name: "near: an example to read", layers: one(sh, file("/usr/share/doc/a.sh", "#!/usr/bin/sh\n"))},
		{name: "near: Python's script by BusyBox' env", layers: one(program("/usr/bin/busybox", "b"), link("/usr/bin/env", "busybox"), program("/app/x", "#!/usr/bin/env python3\n"))},
		{name: "near: a console script", layers: one(sh, program("/opt/venv/bin/tool", "#!/opt/venv/bin/python\n"), program("/app/x", "#!/usr/bin/env python3\n"))},
	})
}

func TestPackageManager(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	testRule(t, "package-manager", []breach{
		{name: "clean"},
		{name: "Debian", layers: one(program("/usr/bin/dpkg-query", "d"), program("/usr/bin/apt-get", "a")), want: []string{"/usr/bin/apt-get", "/usr/bin/dpkg-query"}},
		{name: "Alpine, RPM", layers: one(program("/sbin/apk", "a"), program("/usr/bin/rpm", "r"), program("/usr/bin/dnf-3", "d")), want: []string{"/sbin/apk", "/usr/bin/dnf-3", "/usr/bin/rpm"}},
		{name: "console scripts", layers: one(program("/opt/venv/bin/pip3.11", "p"), program("/opt/venv/bin/easy_install", "e")), want: []string{"/opt/venv/bin/easy_install", "/opt/venv/bin/pip3.11"}},
		{name: "uv off PATH", layers: one(program("/srv/uv", tinyELF(0x3e))), want: []string{"/srv/uv"}},
		{name: "pip installed", layers: one(distribution(site, "pip", "23.0", file("pip/__init__.py", ""), file("pip/_internal/cli.py", ""))...), want: []string{site + "/pip", site + "/pip-23.0.dist-info"}},
		{name: "pip's module in one file", layers: one(file(site+"/pip/__main__.py", "p")), want: []string{site + "/pip/__main__.py"}},
		{name: "pip vendored", layers: one(file("/opt/x/patched/pip/_internal/main.py", "p")), want: []string{"/opt/x/patched/pip/_internal/main.py"}},
		{name: "setuptools", layers: one(file(site+"/_distutils_hack/__init__.py", "p"), file(site+"/distutils-precedence.pth", "import os\n"), file("/usr/lib/python3/dist-packages/pkg_resources/__init__.py", "p"),
			file("/usr/lib/python3/dist-packages/setuptools-66.1.1.egg-info/PKG-INFO", "Name: setuptools\nVersion: 66.1.1\n")),
			want: []string{site + "/_distutils_hack/__init__.py", site + "/distutils-precedence.pth", "/usr/lib/python3/dist-packages/pkg_resources/__init__.py", "/usr/lib/python3/dist-packages/setuptools-66.1.1.egg-info/PKG-INFO"}},
		{name: "bundled wheels", layers: one(file("/usr/lib/python3.11/ensurepip/_bundled/pip-23.0-py3-none-any.whl", "w"), file("/usr/share/python-wheels/setuptools-66.1.1-py3-none-any.whl", "w")),
			want: []string{"/usr/lib/python3.11/ensurepip/_bundled/pip-23.0-py3-none-any.whl", "/usr/share/python-wheels/setuptools-66.1.1-py3-none-any.whl"}},
		{name: "a zip application", layers: one(file("/root/pip.pyz", "z"), file("/tmp/get-pip.py", "g")), want: []string{"/root/pip.pyz", "/tmp/get-pip.py"}},
		{name: "eggs", layers: one(file(site+"/setuptools-65.5.0-py3.11.egg/setuptools/__init__.py", "s"), file(site+"/pip-9.0.egg/EGG-INFO/PKG-INFO", "Name: pip\nVersion: 9.0\n")),
			want: []string{site + "/pip-9.0.egg/EGG-INFO/PKG-INFO", site + "/setuptools-65.5.0-py3.11.egg/setuptools/__init__.py"}},
		{name: "setuptools elsewhere", layers: one(file("/app/deps/setuptools/command/build.py", "s")), want: []string{"/app/deps/setuptools/command/build.py"}},
		{name: "dnf's module", layers: one(file("/usr/lib/python3.11/site-packages/dnf/base.py", "d")), want: []string{"/usr/lib/python3.11/site-packages/dnf/base.py"}},
		{name: "deleted later", layers: [][]tarEntry{{file(site+"/pip/a.py", ""), file(site+"/pip/b.py", "")}, {whiteout(site + "/pip")}}, want: []string{site + "/pip"}},

		{name: "near: databases", layers: one(file("/var/lib/dpkg/status.d/libc6", "Package: libc6\nStatus: install ok installed\nVersion: 2.36\n"), file("/lib/apk/db/installed", "P:musl\nV:1\n"), dir("/etc/apt"), file("/etc/cron.daily/apt", "x").mode(0o755))},
		{name: "near: ensurepip without wheels", layers: one(file("/usr/lib/python3.11/ensurepip/__init__.py", "e"), file("/usr/lib/python3.11/distutils/__init__.py", "d"))},
		{name: "near: names that start so", layers: one(append(distribution(site, "pip_audit", "2.0", file("pip_audit/__init__.py", "")), program("/opt/venv/bin/uvicorn", "u"), file(site+"/x-nspkg.pth", "n"), file(site+"/poetry_core-1.0.dist-info/METADATA", ""))...)},
		{name: "near: a link to nothing", layers: one(link("/usr/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"))},
		{name: "near: type stubs of it", layers: one(file(site+"/jedi/typeshed/stubs/setuptools/setuptools/command/build.pyi", "s"))},
		{name: "near: an instrumentation of it", layers: one(file(site+"/telemetry/pip/__init__.py", "p"), file("/usr/share/doc/pip/copyright", "c"))},
	})
}

func TestCompiler(t *testing.T) {
	testRule(t, "compiler", []breach{
		{name: "clean"},
		{name: "compilers", layers: one(program("/usr/bin/x86_64-linux-gnu-gcc-12", "g"), link("/usr/bin/cc", "x86_64-linux-gnu-gcc-12"), program("/usr/bin/clang++-16", "c"), program("/usr/local/go/bin/go", "g")),
			want: []string{"/usr/bin/cc", "/usr/bin/clang++-16", "/usr/bin/x86_64-linux-gnu-gcc-12", "/usr/local/go/bin/go"}},
		{name: "binutils", layers: one(program("/usr/bin/ld.bfd", "l"), program("/usr/bin/as", "a")), want: []string{"/usr/bin/as", "/usr/bin/ld.bfd"}},
		{name: "in a wheel", layers: one(program("/opt/venv/lib/python3.11/site-packages/ziglang/zig", tinyELF(0x3e))), want: []string{"/opt/venv/lib/python3.11/site-packages/ziglang/zig"}},
		{name: "a flag tool", layers: one(program("/usr/bin/python3.11-config", "p"), program("/usr/bin/pkg-config", "p")), want: []string{"/usr/bin/pkg-config", "/usr/bin/python3.11-config"}},
		{name: "archives, wrappers", layers: one(program("/usr/bin/x86_64-linux-gnu-ar", "a"), program("/usr/bin/ranlib", "r"), program("/usr/local/bin/musl-gcc", "m"), program("/usr/bin/ccache", "c")),
			want: []string{"/usr/bin/ccache", "/usr/bin/ranlib", "/usr/bin/x86_64-linux-gnu-ar", "/usr/local/bin/musl-gcc"}},
		{name: "headers elsewhere", layers: one(file("/opt/py/include/python3.11/Python.h", "h"), file("/usr/x86_64-linux-musl/include/stdio.h", "h"), file("/usr/lib/llvm-14/lib/clang/14/include/stddef.h", "h")),
			want: []string{"/opt/py/include/python3.11/Python.h", "/usr/lib/llvm-14/lib/clang/14/include/stddef.h", "/usr/x86_64-linux-musl/include/stdio.h"}},
		{name: "a header", layers: one(file("/usr/include/stdio.h", "h")), want: []string{"/usr/include/stdio.h"}},
		{name: "headers", layers: one(file("/usr/local/include/python3.11/a.h", "h"), file("/usr/local/include/python3.11/cpython/b.h", "h")), want: []string{"/usr/local/include/python3.11"}},

		{name: "near: the loader", layers: one(program("/usr/lib64/ld-linux-x86-64.so.2", tinyELF(0x3e)), program("/lib/ld-musl-x86_64.so.1", tinyELF(0x3e)), program("/usr/bin/ld.so", tinyELF(0x3e)), program("/usr/sbin/ldconfig", "l"))},
		{name: "near: directories and modules", layers: one(dir("/usr/share/gcc"), dir("/usr/include"), file("/app/as.py", "a"), program("/app/go", "text"), program("/app/ar", "text"), program("/usr/bin/clang-format", "c"))},
		{name: "near: headers of a wheel", layers: one(file("/opt/venv/lib/python3.11/site-packages/numpy/core/include/numpy/arrayobject.h", "h"), file("/opt/venv/include/site/python3.11/greenlet/greenlet.h", "h"))},
	})
}

func TestPacked(t *testing.T) {
	upx := func(f *File) {
		if f.Path == "/app/tool" {
			f.Program = "upx"
		}
	}
	require.Equal(t, []string{"/app/tool"}, checkWith(t, "packed", upx, program("/app/tool", tinyELF(0x3e))))
	require.Empty(t, checkWith(t, "packed", upx, program("/app/upx", tinyELF(0x3e))))
}

func TestSetuid(t *testing.T) {
	testRule(t, "setuid", []breach{
		{name: "clean"},
		{name: "setuid", layers: one(program("/app/a", "x").mode(0o4755), program("/app/b", "x").mode(0o2755), program("/app/c", "x").mode(0o6711)), want: []string{"/app/a", "/app/b", "/app/c"}},
		{name: "a hard link", layers: one(program("/app/a", "x").mode(0o4755), hardlink("/app/b", "/app/a")), want: []string{"/app/a", "/app/b"}},
		{name: "by a hard link's own mode", layers: one(program("/app/a", "x"), hardlink("/app/b", "/app/a").mode(0o4755)), want: []string{"/app/b"}},
		{name: "near: a hard link", layers: one(program("/app/a", "x"), hardlink("/app/b", "/app/a"))},
		{name: "near: a directory, a sticky file", layers: one(dir("/var/mail").mode(0o2775), program("/app/a", "x").mode(0o1755))},
		{name: "near: taken away later", layers: [][]tarEntry{{program("/app/a", "x").mode(0o4755)}, {program("/app/a", "x")}}},
	})
}

func TestCapabilities(t *testing.T) {
	testRule(t, "capabilities", []breach{
		{name: "clean"},
		{name: "set", layers: one(program("/app/ping", "x").xattr("security.capability", "\x01\x00\x00\x02")), want: []string{"/app/ping"}},
		{name: "near: other attributes", layers: one(file("/app/a", "x").xattr("user.comment", "capability"))},
	})
}

func TestDevice(t *testing.T) {
	testRule(t, "device", []breach{
		{name: "clean"},
		{name: "nodes", layers: one(device("/dev/null", tar.TypeChar), device("/app/disk", tar.TypeBlock), device("/app/pipe", tar.TypeFifo)), want: []string{"/app/disk", "/app/pipe", "/dev/null"}},
		{name: "near", layers: one(dir("/dev/pts"), file("/dev/console", ""), link("/dev/stdout", "/proc/self/fd/1"))},
	})
}

func TestWorldWritable(t *testing.T) {
	testRule(t, "world-writable", []breach{
		{name: "clean"},
		{name: "a file, a directory", layers: one(file("/app/a", "x").mode(0o666), dir("/app/d").mode(0o777)), want: []string{"/app/a", "/app/d"}},
		{name: "by a hard link's own mode", layers: one(file("/app/a", "x"), hardlink("/app/b", "/app/a").mode(0o666)), want: []string{"/app/b"}},
		{name: "sticky elsewhere", layers: one(dir("/run/lock").mode(0o1777)), want: []string{"/run/lock"}},
		{name: "tmp not sticky", layers: one(dir("/tmp").mode(0o777)), want: []string{"/tmp"}},
		{name: "near", layers: one(link("/app/l", "main.py"), dir("/app/d").mode(0o775), dir("/tmp").mode(0o1777))},
		{name: "near: mended later", layers: [][]tarEntry{{dir("/app/d").mode(0o777)}, {dir("/app/d")}}},
	})
}

func TestCache(t *testing.T) {
	testRule(t, "cache", []breach{
		{name: "clean"},
		{name: "apt", layers: one(file("/var/cache/apt/pkgcache.bin", "p"), file("/var/lib/apt/lists/x_Packages.lz4", "p")), want: []string{"/var/cache/apt/pkgcache.bin", "/var/lib/apt/lists/x_Packages.lz4"}},
		{name: "pip", layers: one(file("/root/.cache/pip/http/a/b", "p"), file("/root/.cache/pip/wheels/c", "p")), want: []string{"/root/.cache/pip"}},
		{name: "pip elsewhere", layers: one(file("/var/cache/pip/wheels/a/b.whl", "p")), want: []string{"/var/cache/pip/wheels/a/b.whl"}},
		{name: "bytecode of nothing, without a tag", layers: one(file("/app/__pycache__/gone.pyc", "p")), want: []string{"/app/__pycache__/gone.pyc"}},
		{name: "uv", layers: one(file("/root/.cache/uv/archive-v0/x/a.py", "p")), want: []string{"/root/.cache/uv/archive-v0/x/a.py"}},
		{name: "apk", layers: one(file("/var/cache/apk/APKINDEX.00.tar.gz", "p")), want: []string{"/var/cache/apk/APKINDEX.00.tar.gz"}},
		{name: "bytecode of nothing", layers: one(file("/app/__pycache__/gone.cpython-311.pyc", "p"), file("/app/__pycache__/main.cpython-311.pyc", "p")), want: []string{"/app/__pycache__/gone.cpython-311.pyc"}},
		{name: "bytecode of something deleted", layers: [][]tarEntry{{file("/app/x.py", "p"), file("/app/__pycache__/x.cpython-311.opt-2.pyc", "p")}, {whiteout("/app/x.py")}}, want: []string{"/app/__pycache__/x.cpython-311.opt-2.pyc"}},

		{name: "near: empty directories and locks", layers: one(dir("/var/cache/apt/archives/partial"), file("/var/lib/apt/lists/lock", ""), dir("/root/.cache/pip"))},
		{name: "near: bytecode with its source", layers: one(file("/app/__pycache__/main.cpython-311.opt-1.pyc", "p"))},
		{name: "near: bytecode that needs none", layers: one(file("/app/only.pyc", "p"))},
		{name: "near: data", layers: one(file("/home/nonroot/.cache/models/m.bin", "p"), file("/opt/venv/lib/python3.11/site-packages/uvloop/a", "p"), file("/app/cache/pip.txt", "p"), file("/var/cache/ldconfig/aux-cache", "p"))},
	})
}

func TestDeleted(t *testing.T) {
	testRule(t, "deleted", []breach{
		{name: "clean"},
		{name: "a file", layers: [][]tarEntry{{file("/app/key", "abc")}, {whiteout("/app/key")}}, want: []string{"/app/key"}},
		{name: "a directory", layers: [][]tarEntry{{dir("/srv/d"), file("/srv/d/a", "abc"), link("/srv/d/e/b", "a")}, {whiteout("/srv/d")}}, want: []string{"/srv/d"}},
		{name: "of two layers", layers: [][]tarEntry{{file("/srv/a", "abc")}, {file("/srv/b", "abc")}, {opaque("/srv")}}, want: []string{"/srv/a", "/srv/b"}},
		{name: "opaque", layers: [][]tarEntry{{file("/srv/d/a", "abc"), file("/srv/d/b", "abc")}, {opaque("/srv/d"), file("/srv/d/b", "new")}}, want: []string{"/srv/d/a"}},
		{name: "a directory becomes a link", layers: [][]tarEntry{{file("/srv/d/a", "abc")}, {link("/srv/d", "/app")}}, want: []string{"/srv/d/a"}},
		{name: "near: of nothing", layers: one(whiteout("/app/never"), opaque("/nowhere"))},
		{name: "near: replaced", layers: [][]tarEntry{{file("/app/a", "abc")}, {file("/app/a", "new")}}},
		{name: "near: written again", layers: [][]tarEntry{{file("/app/a", "abc")}, {whiteout("/app/a")}, {file("/app/a", "new")}}},
		{name: "near: an empty directory", layers: [][]tarEntry{{dir("/srv/d")}, {whiteout("/srv/d")}}},
	})
}

func TestDeletedCounts(t *testing.T) {
	img := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/srv/d/a", "abc"), file("/srv/d/b", "de")}, []tarEntry{whiteout("/srv/d")})
	got := brokenBy(t, "deleted", img)
	require.Len(t, got, 1)
	require.Contains(t, got[0], "its 2 files of 5 bytes")
	layers, err := img.Layers()
	require.NoError(t, err)
	second, err := layers[1].DiffID()
	require.NoError(t, err)
	require.Equal(t, second, findings(t, img, Contract{Only: []string{"deleted"}})[0].Layer, fmt.Sprint(got))
}
