package stage

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// limited is the marker that uv writes of what is needed everywhere, in a resolution
// for all targets.
const limited = "((python_full_version >= '3.11.14' and python_full_version < '3.12' and implementation_name == 'cpython' and os_name == 'posix')" +
	" or (python_full_version == '3.11.2' and implementation_name == 'cpython' and os_name == 'posix'))" +
	" and ((platform_machine == 'aarch64' and platform_python_implementation == 'CPython' and sys_platform == 'linux')" +
	" or (platform_machine == 'x86_64' and platform_python_implementation == 'CPython' and sys_platform == 'linux'))"

// What is left of a marker, for all targets, Debian's, Alpine's, and one.
func TestSimplified(t *testing.T) {
	all := lock.WheelTargets()
	sets := [][]string{all, all[:2], all[2:], all[:1]}
	cases := map[string][]any{
		limited:                              {"", "", "", ""},
		"sys_platform != 'win32'":            {"", "", "", ""},
		"os_name == 'nt'":                    {nil, nil, nil, nil},
		"python_full_version >= '3.12'":      {nil, nil, nil, nil},
		"platform_machine == 'arm64'":        {nil, nil, nil, nil}, // macOS
		"platform_machine == 'aarch64'":      {"platform_machine == 'aarch64'", "platform_machine == 'aarch64'", "platform_machine == 'aarch64'", nil},
		"platform_machine != 'x86_64'":       {"platform_machine == 'aarch64'", "platform_machine == 'aarch64'", "platform_machine == 'aarch64'", nil},
		"python_full_version < '3.11.3'":     {"python_full_version < '3.11.3'", "", "python_full_version < '3.11.3'", ""},
		"python_full_version >= '3.11.5'":    {"python_full_version >= '3.11.5'", nil, "python_full_version >= '3.11.5'", nil},
		"implementation_version == '3.11.2'": {"implementation_version == '3.11.2'", "", "implementation_version == '3.11.2'", ""},
		"python_full_version < '3.11.3' and (os_name == 'posix' or extra == 'x')":                          {"python_full_version < '3.11.3'", "", "python_full_version < '3.11.3'", ""},
		"os_name == 'nt' or python_full_version < '3.11.3' and python_full_version > '3.11.1'":             {"python_full_version < '3.11.3'", "", "python_full_version < '3.11.3'", ""},
		"python_full_version < '3.11.3' or python_full_version >= '3.11.20'":                               {"python_full_version < '3.11.3' or python_full_version >= '3.11.20'", "", "python_full_version < '3.11.3' or python_full_version >= '3.11.20'", ""},
		"python_full_version < '3.11.3' and platform_machine == 'x86_64'":                                  {"platform_machine == 'x86_64' and (python_full_version < '3.11.3')", "platform_machine == 'x86_64'", "platform_machine == 'x86_64' and (python_full_version < '3.11.3')", ""},
		"platform_machine == 'x86_64' or python_full_version < '3.11.3' and platform_machine == 'aarch64'": {"platform_machine == 'aarch64' and (python_full_version < '3.11.3') or platform_machine == 'x86_64'", "", "platform_machine == 'aarch64' and (python_full_version < '3.11.3') or platform_machine == 'x86_64'", ""},
	}
	var calls [][]any
	markers := slices.Sorted(maps.Keys(cases))
	for _, marker := range markers {
		for _, targets := range sets {
			calls = append(calls, []any{marker, targets, "3.11.2"})
		}
	}
	got := map[string][]any{}
	for i, left := range python(t, "markers.simplified", calls...) { // to start Python takes longer than to ask it
		marker := markers[i/len(sets)]
		got[marker] = append(got[marker], left)
	}
	require.Equal(t, cases, got)
}

// A resolution is limited to the Pythons and the CPUs of its targets.
func TestEnvironments(t *testing.T) {
	all := lock.WheelTargets()
	const linux = "implementation_name == 'cpython' and platform_python_implementation == 'CPython' and os_name == 'posix' and sys_platform == 'linux' and platform_system == 'Linux' and "
	require.Equal(t, []any{
		[]any{linux + "python_full_version >= '3.11.2' and python_full_version < '3.12' and (platform_machine == 'x86_64' or platform_machine == 'aarch64')"},
		[]any{linux + "python_full_version == '3.11.2' and (platform_machine == 'aarch64')"},
		[]any{ // Alpine's on one CPU, Debian's on both
			linux + "python_full_version == '3.11.2' and (platform_machine == 'aarch64')",
			linux + "python_full_version >= '3.11.2' and python_full_version < '3.12' and (platform_machine == 'x86_64')",
		},
	}, python(t, "markers.environments", []any{all, "3.11.2"}, []any{all[1:2], "3.11.2"}, []any{all[:3], "3.11.2"}))
}

// What no target needs leaves the lock with its hashes, and no line keeps a marker
// that says nothing.
func TestForTargets(t *testing.T) {
	hash := " \\\n    --hash=sha256:" + strings.Repeat("a", 64) + " \\\n    --hash=sha256:" + strings.Repeat("b", 64) + "\n"
	given := "a==1 ; " + limited + hash + "b==2" + hash + "c==3 ; sys_platform == 'win32'" + hash +
		"d==1!4.0+x ; platform_machine == 'x86_64' and os_name == 'posix'" + hash
	want := "a==1" + hash + "b==2" + hash + "d==1!4.0+x ; platform_machine == 'x86_64'" + hash
	require.Equal(t, []any{want, ""}, python(t, "resolve.for_targets",
		[]any{given, lock.WheelTargets(), "3.11.2"}, []any{"", lock.WheelTargets(), "3.11.2"}))
	_, err := lock.ParseRequirements("r.lock.txt", []byte(want))
	require.NoError(t, err)
}

// annotated is a lock as uv writes it, cut short.
const annotated = `apscheduler==3.9.1 \
    --hash=sha256:aa
    # via -r /locks/r.txt
gunicorn==20.1.0 ; os_name == 'posix' \
    --hash=sha256:aa
    # via web
setuptools==69.5.1 \
    --hash=sha256:aa
    # via
    #   -c /out/python.lock.txt
    #   -r /locks/r.txt
    #   apscheduler
    #   gunicorn
web==1
    # via -r /locks/r.txt
`

// The way from a list to a package goes by what asks for it.
func TestWay(t *testing.T) {
	asks := python(t, "needs.askers", []any{annotated})[0]
	require.Equal(t, map[string]any{
		"apscheduler": []any{""}, "gunicorn": []any{"web"}, "setuptools": []any{"", "apscheduler", "gunicorn"}, "web": []any{""},
	}, asks)
	circle := map[string]any{"a": []any{"b"}, "b": []any{"a", "c"}, "c": []any{""}}
	require.Equal(t, []any{[]any{"web", "gunicorn"}, []any{"apscheduler"}, []any{"c", "b", "a"}, []any{"lost"}}, python(t, "needs.way",
		[]any{asks, "gunicorn"}, []any{asks, "apscheduler"}, []any{circle, "a"}, []any{map[string]any{}, "lost"}))
}
