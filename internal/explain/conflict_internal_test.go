package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// uv's texts, as uv 0.13.9 wrote them.
func TestParseConflict(t *testing.T) {
	for _, c := range []struct {
		name, text string
		own        []string
		names      []string
		short      string
	}{
		{
			"one asks for another",
			"error: No solution found when resolving dependencies\n  cause: Because botocore==1.31.1 depends on urllib3>=1.25.4,<1.27 and you require botocore==1.31.1, we can conclude that you require urllib3>=1.25.4,<1.27.\n         And because you require urllib3==2.0.7, we can conclude that your requirements are unsatisfiable.",
			[]string{"boto3", "botocore", "urllib3", "requests"},
			[]string{"botocore", "urllib3"},
			"botocore==1.31.1 depends on urllib3>=1.25.4,<1.27",
		},
		{
			"two ask for a third",
			"error: No solution found when resolving dependencies\n  cause: Because web3==6.11.3 depends on hexbytes>=0.1.0,<0.4.0 and eth-account==0.13.0 depends on hexbytes>=1.2.0, we can conclude that eth-account==0.13.0 and web3==6.11.3 are incompatible.\n         And because you require eth-account==0.13.0 and web3==6.11.3, we can conclude that your requirements are unsatisfiable.",
			[]string{"web3", "eth-account"},
			[]string{"web3", "eth-account"},
			"web3==6.11.3 depends on hexbytes>=0.1.0,<0.4.0; eth-account==0.13.0 depends on hexbytes>=1.2.0",
		},
		{
			"many versions",
			"error: No solution found when resolving dependencies for split (markers: python_full_version >= '3.14' and sys_platform == 'win32')\n  cause: Because pandas>=3.0.0rc0,<=3.0.0rc1 depends on numpy>=1.26.0 and pandas==3.0.0rc2 depends on numpy{python_full_version >= '3.14'}>=2.0.0, we can conclude that pandas>=3.0.0rc0,<=3.0.0rc2 depends on numpy>=1.26.0.\n         And because pandas>=2.1.2,<=2.2.1 depends on numpy{python_full_version >= '3.12'}>=1.26.0,<2 and pandas==3.0.4 was yanked (reason: Reported segfaults), we can conclude that pandas>=2.0.0 depends on numpy>=1.21.0.\n         And because you require numpy<1.20 and pandas>=2, we can conclude that your requirements are unsatisfiable.",
			[]string{"numpy", "pandas"},
			[]string{"numpy", "pandas"},
			"pandas>=2.0.0 depends on numpy>=1.21.0",
		},
		{
			"with extras",
			"error: No solution found when resolving dependencies\n  cause: Because aiohttp==3.8.6 depends on frozenlist>=1.1.1 and you require aiohttp[speedups]==3.8.6, we can conclude that you require frozenlist>=1.1.1.\n         And because you require frozenlist<1.0, we can conclude that your requirements are unsatisfiable.",
			[]string{"aiohttp", "frozenlist"},
			[]string{"aiohttp", "frozenlist"},
			"aiohttp==3.8.6 depends on frozenlist>=1.1.1",
		},
		{
			"nothing depends",
			"error: No solution found when resolving dependencies\n  cause: you require requests<2.30 and requests>=2.31, which are incompatible",
			[]string{"requests"},
			[]string{"requests"},
			"you require requests<2.30 and requests>=2.31, which are incompatible",
		},
		{
			"a source that cannot be built",
			"error: Failed to build `functools32==3.2.3.post2`\n  cause: The build backend returned an error\n  cause: Call to `setuptools.build_meta:__legacy__.get_requires_for_build_wheel` failed (exit status: 1)\n  cause: This backport is for Python 2.7 only\n\nhint: `functools32` (v3.2.3.post2) was included because `matplotlib` (v2.0.0) depends on `functools32`\n\nhint: Build failures usually indicate a problem with the package or the build environment",
			[]string{"matplotlib", "redis"},
			[]string{"matplotlib"},
			"matplotlib==2.0.0 depends on functools32; the source of functools32==3.2.3.post2 cannot be built: This backport is for Python 2.7 only",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := map[string]bool{}
			for _, name := range c.own {
				own[name] = true
			}
			got := parseConflict(c.text, own)
			var names []string
			for name, in := range got.names {
				if in {
					names = append(names, name)
				}
			}
			require.ElementsMatch(t, c.names, names)
			require.Equal(t, c.short, got.short())
		})
	}
}

func TestJudge(t *testing.T) {
	const none = "error: No solution found when resolving dependencies\n  cause: Because "
	for _, c := range []struct {
		line string
		p    Problem
		now  string
		why  string
	}{
		{
			"pywin32==306", Problem{Error: none + "pywin32==306 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`) and you require pywin32==306, we can conclude that your requirements are unsatisfiable.\n\nhint: Wheels are available for `pywin32` (v306) on the following platforms: `win32`, `win_amd64`, `win_arm64`"},
			`pywin32==306 ; sys_platform == "win32"`, `it is for another system, and has no source: add the marker sys_platform == "win32"`,
		},
		{
			"a==1; python_version > '3'", Problem{Error: none + "a==1 has no wheels with a matching platform tag (e.g., `x`) and you require a==1, we.\n\nhint: Wheels are available for `a` (v1) on the following platform: `macosx_11_0_arm64`"},
			`a==1 ; (python_version > '3') and sys_platform == "darwin"`, `it is for another system, and has no source: add the marker sys_platform == "darwin"`,
		},
		{
			"a[x]==1", Problem{Error: none + "a==1 has no wheels with a matching platform tag (e.g., `x`) and you require a==1, we.\n\nhint: Wheels are available for `a` (v1) on the following platforms: `win32`, `manylinux1_x86_64`", Targets: []string{"musllinux_1_2_x86_64"}, Wheels: Wheels{Wheels: []string{"1.1", "0.9"}}},
			"a[x]==1.1", "no wheel for musllinux_1_2_x86_64, and no source; the nearest with wheels for all are 1.1 and 0.9",
		},
		{
			"aiohttp>=4", Problem{Error: none + "only aiohttp<=4.0.0a1 is available and you require aiohttp>=4, we can conclude that your requirements are unsatisfiable.", Nearest: []string{"3.13.2"}},
			"aiohttp==3.13.2", "there is no such version; the nearest is 3.13.2",
		},
		{
			"numpy==9.9.0", Problem{Error: none + "the requested Python version (>=3.11) does not satisfy Python>=3.12 and numpy==9.9.0 depends on Python>=3.12, we can conclude", Nearest: []string{"2.4.6"}},
			"numpy==2.4.6", "it needs Python >=3.12; the nearest for 3.11 is 2.4.6",
		},
		{
			"a==1 ; os_name == x", Problem{Error: "error: Couldn't parse requirement in `requirements.in` at position 0\n  cause: Expected a quoted string or a valid marker name, found `x`\n         a"},
			"", "not a requirement: Expected a quoted string or a valid marker name, found `x`",
		},
	} {
		line := parseLine(c.line, nil)
		v, ok := judge(line, line, c.p, forbidden{})
		require.True(t, ok, c.line)
		require.Equal(t, c.now, v.now)
		require.Equal(t, c.why, v.why)
	}
	_, ok := judge(Line{}, Line{}, Problem{Error: "error: Request failed after 3 retries\n  cause: Connection refused (os error 111)"}, forbidden{})
	require.False(t, ok, "the network is no fault of the line")
}

// What the list itself forbids is the reason, and not that there is nothing.
func TestJudgeForbidden(t *testing.T) {
	const none = "error: No solution found when resolving dependencies\n  cause: Because "
	rules := forbidden{wheels: "line 2 forbids its wheels", source: "line 1 forbids to compile it"}
	musl := []string{"musllinux_1_2_aarch64"}
	for text, want := range map[string]verdict{
		"psutil==5.9.6 has no usable wheels and you require psutil==5.9.6, we can conclude that your requirements are unsatisfiable.\n\nhint: Wheels are required for `psutil` because building from source is disabled for `psutil` (i.e., with `--no-build-package psutil`)": {
			now: "a==7.2.0", why: "no wheel for musllinux_1_2_aarch64, and line 1 forbids to compile it; the nearest with wheels for all is 7.2.0", files: true,
		},
		"torch==2.1.0 has no source distribution and you require torch==2.1.0, we can conclude that your requirements are unsatisfiable.\n\nhint: A source distribution is required for `torch` because using pre-built wheels is disabled for all packages (i.e., with `--no-binary`)": {
			why: "line 2 forbids its wheels, and it has no source",
		},
	} {
		line := parseLine("a==1", nil)
		v, ok := judge(line, line, Problem{Error: none + text, Targets: musl, Wheels: Wheels{Wheels: []string{"7.2.0"}}}, rules)
		require.True(t, ok)
		require.Equal(t, want, v)
	}
}
