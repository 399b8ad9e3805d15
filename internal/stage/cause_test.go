package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// causes are what is to be told of the logs in testdata/causes, which are those of
// real sources with Python 3.11, with the middle of long tracebacks and lists left out.
var causes = map[string]string{
	"chromedriver-binary": "Failed to download chromedriver archive: https://chromedriver.storage.googleapis.com/98.0.4758.102/chromedriver_linux64.zip",
	"dlib":                "ERROR: CMake must be installed to build dlib",
	"evdev":               "The 'linux/input.h' and 'linux/input-event-codes.h' include files are missing. You will have to install the kernel header files in order to continue",
	"fiona":               "Failed to get options via gdal-config: [Errno 2] No such file or directory: 'gdal-config'; A GDAL API version must be specified",
	"functools32":         "This backport is for Python 2.7 only",
	"gdal":                "Could not find gdal-config. Make sure you have installed the GDAL native library and development headers",
	"gssapi":              "its build calls krb5-config, which is not there",
	"hnswlib":             "Unsupported compiler -- at least C++11 support is needed!",
	"jsmin":               "error in jsmin setup command: use_2to3 is invalid (it is written for Python 2)",
	"lgpio":               "error: command 'swig' failed: No such file or directory",
	"libvirt-python":      "pkg-config binary is required to compile libvirt-python",
	"lxml":                "Error: Please make sure the libxml2 and libxslt development packages are installed",
	"mpi4py":              "TypeError: new_compiler() got an unexpected keyword argument 'dry_run'",
	"mysql-python":        "ModuleNotFoundError: No module named 'ConfigParser' (it is written for Python 2)",
	"numba":               "Cannot install on Python version 3.11.2; only versions >=3.6,<3.10 are supported",
	"onnx":                "AssertionError: Could not find cmake executable!",
	"pandas":              "ModuleNotFoundError: No module named 'pkg_resources' (its build imports it and does not ask for it)",
	"pillow":              "The headers or library files could not be found for zlib, a required dependency when compiling Pillow from source",
	"pomegranate":         "pomegranate/utils.pyx:120:0: Function signature does not match previous declaration",
	"psycopg2":            "Error: pg_config executable not found",
	"pycairo":             "'pkg-config' not found. Command ['pkg-config', '--print-errors', '--exists', 'cairo >= 1.15.10']",
	"pycurl":              "ConfigurationError: Could not run curl-config: [Errno 2] No such file or directory: 'curl-config'",
	"pygame":              "buildconfig/config_unix.py, line 39: IndexError: list index out of range",
	"pyicu":               "Please install pkg-config on your system or set the ICU_VERSION environment variable to the version of ICU you have installed",
	"pymssql":             "src/_mssql.pyx:828:19: undeclared name not builtin: long",
	"pyqt5":               "pyqtbuild/builder.py, line 49: raise PyProjectOptionException('qmake'",
	"pysqlite":            "pysqlite is not supported on Python 3. When using Python 3, use the sqlite3 module from the standard library",
	"pystan":              "Cython>=0.22 and NumPy are required",
	"python-prctl":        "FileNotFoundError: [Errno 2] No such file or directory: 'cpp'",
	"sklearn":             "The 'sklearn' PyPI package is deprecated, use 'scikit-learn' rather than 'sklearn' for pip commands",
	"suds":                "ModuleNotFoundError: No module named 'client'",
	"systemd-python":      "FileNotFoundError: [Errno 2] No such file or directory: 'pkg-config'",
	"torch-scatter":       "ModuleNotFoundError: No module named 'torch' (its build imports it and does not ask for it)",
	"wsgiref":             "ez_setup/__init__.py, line 170: SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? (it is written for Python 2)",
	"xmlsec":              "error: Unable to invoke pkg-config",
}

func TestCauseOfRealBuilds(t *testing.T) {
	files, err := filepath.Glob("testdata/causes/*.txt")
	require.NoError(t, err)
	require.Len(t, files, len(causes))
	var names []string
	var calls [][]any
	for _, file := range files {
		log, err := os.ReadFile(file)
		require.NoError(t, err)
		names, calls = append(names, strings.TrimSuffix(filepath.Base(file), ".txt")), append(calls, []any{string(log)})
	}
	got := map[string]string{}
	for i, cause := range python(t, "cause.cause", calls...) {
		got[names[i]] = cause.(string)
	}
	require.Equal(t, causes, got)
}

// Kinds of failures that no source in testdata has.
func TestCause(t *testing.T) {
	const traceback = "Traceback (most recent call last):\n  File \"<string>\", line 15, in <module>\n" +
		"  File \"/tmp/build/a-1/env/lib/python3.11/site-packages/setuptools/build_meta.py\", line 317, in run_setup\n    exec(code, locals())\n"
	const setup = traceback + "  File \"<string>\", line 7, in <module>\n"
	cases := []struct{ name, log, want string }{
		{"nothing", "", "its build says nothing"},
		{"progress alone", "running egg_info\nwriting a.egg-info/PKG-INFO\n", `its build ends after "writing a.egg-info/PKG-INFO", and does not say why`},
		{"a file that is not in the archive", setup + "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'\n", "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'"},
		{"an encoding", setup + "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 4: ordinal not in range(128)\n", "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 4: ordinal not in range(128)"},
		{"a key", setup + "KeyError: '__version__'\n", "setup.py, line 7: KeyError: '__version__'"},
		{"an assertion without words", traceback + "  File \"/tmp/build/a-1/work/a/setup_tools.py\", line 3, in f\n    assert sys.version_info < (3,)\nAssertionError\n", "a/setup_tools.py, line 3: AssertionError: assert sys.version_info < (3,)"},
		{"a later Python", traceback + "  File \"<string>\", line 2\n    match x\n          ^\nSyntaxError: expected ':'\n", "setup.py, line 2: SyntaxError: expected ':'"},
		{"exceptions in a group", "  + Exception Group Traceback (most recent call last):\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"x.py\", line 1, in f\n    | a.b.ConfigurationError: Extra keys present in project: x\n    +-----------\n", "ConfigurationError: Extra keys present in project: x"},
		{"in colours", "\x1b[31mERROR: no\x1b[0m such thing\n", "ERROR: no such thing"},
		{"the network", setup + "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>\n", "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>"},
		{"more than one sentence", strings.Repeat("This cannot be built here. ", 20), "This cannot be built here" + strings.Repeat(". This cannot be built here", 7)},
		{"no sentence", "error: " + strings.Repeat("word ", 100), "error: " + strings.TrimSuffix(strings.Repeat("word ", 46), " ") + "..."},
		{"a wrapped error", "running build\nerror: the library of\n  something is missing\nbuilding on\n", "error: the library of something is missing"},
		{"a header", "building 'a.b' extension\ncc -O2 -c /build/source/a/b.c -o b.o\na/b.c:5:10: fatal error: 'foo.h' file not found\n    5 | #include <foo.h>\n      |          ^~~~~~~\n1 error generated.\nerror: command '/build/bin/cc' failed with exit code 1\n", "a/b.c:5:10: fatal error: 'foo.h' file not found"},
		{"a header of Python 3.10", "a/b.c:5:10: fatal error: 'longintrepr.h' file not found\n1 error generated.\nerror: command 'cc' failed with exit code 1\n", "a/b.c:5:10: fatal error: 'longintrepr.h' file not found (it is written for an older Python)"},
		{"what a program caught", "Failed to compile b. Exiting.\nReturn code was 2\nb\"make: Entering directory 'x'\\ncc -o b b.c\\nb.c:33:10: fatal error: 'glib.h' file not found\\n1 error generated.\\n\"\n", "b.c:33:10: fatal error: 'glib.h' file not found"},
		{"the first error of the last file", "cc -c probe.c\nprobe.c:1:1: error: of a trial\n1 error generated.\ncc -c b.c\nb.c:2:2: error: this one\nb.c:3:3: error: not this\n2 errors generated.\nerror: command 'cc' failed with exit status 1\n", "b.c:2:2: error: this one"},
		{"an exception after trials", "cc -c probe.c\nprobe.c:1:1: error: of a trial\n1 error generated.\n" + setup + "ValueError: no BLAS\n", "ValueError: no BLAS"},
		{"a linker", "cc -shared -o a.so -lfoo\nld.lld: error: unable to find library -lfoo\nerror: command 'cc' failed with exit code 1\n", "ld.lld: error: unable to find library -lfoo"},
		{"zig's linker", "error: unable to find dynamic system library 'foo' using strategy 'paths_first'. searched paths: none\nerror: command 'cc' failed with exit code 1\n", "error: unable to find dynamic system library 'foo' using strategy 'paths_first'. searched paths: none"},
		{"CMake", "-- Detecting C compiler\nCMake Error at CMakeLists.txt:12 (find_package):\n  By not providing \"FindFoo.cmake\" in CMAKE_MODULE_PATH this project has\n  asked CMake to find a package configuration file.\n\n-- Configuring incomplete, errors occurred!\n" + setup + "subprocess.CalledProcessError: Command '['cmake']' returned non-zero exit status 1.\n", "CMake Error at CMakeLists.txt:12 (find_package): By not providing \"FindFoo.cmake\" in CMAKE_MODULE_PATH this project has asked CMake to find a package configuration file"},
		{"Meson", "Project name: a\n\n../meson.build:9:6: ERROR: Dependency \"glib-2.0\" not found, tried pkgconfig\n\nA full log can be found at /tmp/build/a-1/work/.mesonpy/meson-logs/meson-log.txt\n", "../meson.build:9:6: ERROR: Dependency \"glib-2.0\" not found, tried pkgconfig"},
		{"Ninja", "[1/2] cc -c a.c\nFAILED: a.o\ncc -c a.c\na.c:1:9: error: expected ';'\n1 error generated.\nninja: build stopped: subcommand failed.\n", "a.c:1:9: error: expected ';'"},
		{"make", "cc -c a.c\na.c:1:9: error: unknown type name 'x'\nmake: *** [Makefile:3: a.o] Error 1\n" + setup + "subprocess.CalledProcessError: Command '['make']' returned non-zero exit status 2.\n", "a.c:1:9: error: unknown type name 'x'"},
		{"configure", "checking for gcc... cc\nconfigure: error: in `/build/source/lib':\nconfigure: error: cannot find libfoo\n" + setup + "RuntimeError: autoconf error\n", "configure: error: cannot find libfoo"},
		{"a command that is not there", setup + "/bin/sh: foo-config: not found\nsubprocess.CalledProcessError: Command 'foo-config --libs' returned non-zero exit status 127.\n", "its build calls foo-config, which is not there"},
		{"a command without a word", setup + "subprocess.CalledProcessError: Command 'x' returned non-zero exit status 3.\n", "CalledProcessError: Command 'x' returned non-zero exit status 3"},
		{"warnings", "a.py:3: DeprecationWarning: old\n  f()\nwarning: no files found\nWARNING: x\nThe thing is missing.\n", "The thing is missing"},
	}
	var calls [][]any
	for _, c := range cases {
		calls = append(calls, []any{c.log})
	}
	for i, got := range python(t, "cause.cause", calls...) {
		require.Equal(t, cases[i].want, got, cases[i].name)
	}
}

// uv puts what a build said into its own words, which stay.
func TestToldByUV(t *testing.T) {
	const before = "error: Failed to build `a==1`\n  cause: The build backend returned an error\n  cause: Call to `b` failed (exit status: 1)\n"
	const hint = "\nhint: Build failures usually indicate a problem\n"
	var calls [][]any
	var wants []any
	for text, want := range map[string]string{
		"error: none\n  cause: no\n": "error: none\n  cause: no\n",
		before + "\n         [stdout]\n         running egg_info\n\n         [stderr]\n         Traceback (most recent call last):\n" +
			"           File \"<string>\", line 3, in <module>\n         ModuleNotFoundError: No module named 'numpy'\n" + hint: before + "  cause: ModuleNotFoundError: No module named 'numpy' (its build imports it and does not ask for it)\n" + hint,
		before + "\n         [stderr]\n         no\n\n         more": before + "  cause: no\n",
	} {
		calls, wants = append(calls, []any{text}), append(wants, want)
	}
	require.Equal(t, wants, python(t, "cause.told_by_uv", calls...))
}
