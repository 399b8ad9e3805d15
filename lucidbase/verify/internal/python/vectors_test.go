package python

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/names"
)

// vector is a case with what packaging 26.3 makes of it.
type vector struct {
	Kind string // version, compare, spec, contain or requirement
	A, B string
	// OK reports whether A can be read, or contains B.
	OK bool
	// Want is the order of A and B.
	Want int
	// The parts of a requirement. Fits reports whether version B fulfils it, Holds
	// what its marker says: a bool, or "error".
	Name, URL string
	Extras    []string
	Fits      bool
	Holds     any
}

var linux = Environment{
	"implementation_name": "cpython", "implementation_version": "3.11.2", "os_name": "posix",
	"platform_machine": "x86_64", "platform_release": "", "platform_system": "Linux", "platform_version": "",
	"python_full_version": "3.11.2", "platform_python_implementation": "CPython", "python_version": "3.11",
	"sys_platform": "linux", "extra": "",
}

func TestAsPackagingDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var vectors []vector
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.Greater(t, len(vectors), 90)
	for _, v := range vectors {
		switch v.Kind {
		case "version":
			_, err := ParseVersion(v.A)
			require.Equal(t, v.OK, err == nil, "%+v", v)
		case "compare":
			a, err := ParseVersion(v.A)
			require.NoError(t, err)
			b, err := ParseVersion(v.B)
			require.NoError(t, err)
			require.Equal(t, v.Want, a.Compare(b), "%+v", v)
		case "spec":
			_, err := ParseSpecifiers(v.A)
			require.Equal(t, v.OK, err == nil, "%+v", v)
		case "contain":
			set, err := ParseSpecifiers(v.A)
			require.NoError(t, err, "%+v", v)
			require.Equal(t, v.OK, set.Contain(v.B), "%+v", v)
		case "requirement":
			checkRequirement(t, v)
		default:
			t.Fatal(v.Kind)
		}
	}
}

func checkRequirement(t *testing.T, v vector) {
	t.Helper()
	r, err := ParseRequirement(v.A)
	require.Equal(t, v.OK, err == nil, "%+v %v", v, err)
	if err != nil {
		return
	}
	slices.Sort(r.Extras)
	require.Equal(t, v.Name, r.Name, "%+v", v)
	require.Equal(t, v.URL, r.URL, "%+v", v)
	require.Equal(t, v.Fits, r.Specifiers.Contain(v.B), "%+v", v)
	require.ElementsMatch(t, v.Extras, slices.Compact(r.Extras), "%+v", v)
	require.Equal(t, v.Holds != nil, r.Marker != nil, "%+v", v)
	if r.Marker == nil {
		return
	}
	holds, err := r.Marker.Holds(linux)
	if v.Holds == "error" {
		require.Error(t, err, "%+v", v)
		return
	}
	require.NoError(t, err, "%+v", v)
	require.Equal(t, v.Holds, holds, "%+v", v)
}

func FuzzRequirement(f *testing.F) {
	for _, s := range []string{
		"a", "a[b,c]>=1.0,!=1.4.*; python_version < '3.12' and (extra == 'x' or os.name in \"nt posix\")",
		"a @ file:///x ; sys_platform not in 'win32'", "a (===1.0,2)", "a;((((", "a[", "a~=1.0.dev1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRequirement(s)
		if err != nil {
			return
		}
		require.NotEmpty(t, r.Name)
		require.Equal(t, names.Normalize(r.Name), names.Normalize(names.Normalize(r.Name)))
		r.Specifiers.Contain("1.0")
		// What was read can be read again as the same.
		again, err := ParseSpecifiers(r.Specifiers.String())
		require.NoError(t, err)
		require.Equal(t, r.Specifiers.String(), again.String())
		if r.Marker != nil {
			_, _ = r.Marker.Holds(linux)
		}
	})
}

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.0", "1!2.3a4.post5.dev6+local.7", "v1-1", " 1.0c ", "1..0"} {
		f.Add(s, "1.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, errA := ParseVersion(a)
		w, errB := ParseVersion(b)
		if errA == nil && errB == nil {
			require.Equal(t, v.Compare(w), -w.Compare(v))
			require.Zero(t, v.Compare(v))
		}
	})
}

func TestName(t *testing.T) {
	for in, want := range map[string]string{"Zope.Interface": "zope-interface", "a_-.b": "a-b", "a1": "a1"} {
		require.Equal(t, want, names.Normalize(in))
	}
}

func TestDeepMarkers(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat("(", n) + "extra == ''" + strings.Repeat(")", n)
	}
	m, err := ParseMarker(deep(50))
	require.NoError(t, err)
	holds, err := m.Holds(linux)
	require.NoError(t, err)
	require.True(t, holds)
	_, err = ParseMarker(deep(1 << 20))
	require.ErrorContains(t, err, "too many parentheses")
}
