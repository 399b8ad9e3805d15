package resolve

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckDepends(t *testing.T) {
	available := read(t,
		stanza("libc6", "2.36-9+deb12u14", "Provides: libc-abi (= 2.5), libc-any"),
		stanza("zlib1g", "1:1.2.13"),
		stanza("python3", "3.11.2", "Multi-Arch: allowed"),
	)
	tests := []struct {
		depends string
		missing string // empty means satisfied
	}{
		{"libc6", ""},
		{"libc6 (>= 2.36)", ""},
		{"libc6 (>= 2.36-9+deb12u9)", ""},
		{"libc6 (>= 2.37)", "libc6 (>= 2.37)"},
		{"libc6 (>> 2.36-9+deb12u14)", "libc6 (>> 2.36-9+deb12u14)"},
		{"libc6 (>> 2.36-9+deb12u14~)", ""},
		{"libc6 (<= 2.36-9+deb12u14)", ""},
		{"libc6 (<< 2.36-9+deb12u14)", "libc6 (<< 2.36-9+deb12u14)"},
		{"libc6 (= 2.36-9+deb12u14)", ""},
		{"libc6 (= 2.36)", "libc6 (= 2.36)"},
		{"libc6 (= x y)", "libc6 (= x y)"},
		{"zlib1g (>= 9)", ""}, // the epoch
		{"python3:any (>= 3.11~)", ""},
		{"python3:amd64", ""},
		{"python3:i386", "python3:i386"},
		{"libc-any", ""},
		{"libc-any (>= 1)", "libc-any (>= 1)"}, // provided without a version
		{"libc-abi (>= 2)", ""},
		{"libc-abi (>> 2.5)", "libc-abi (>> 2.5)"},
		{"debconf | libc6", ""},
		{"debconf (>= 0.5) | debconf-2.0", "debconf (>= 0.5) | debconf-2.0"},
		{"libc6 (>= 9) | zlib1g", ""},
		{"libc6, zlib1g,", ""},
		{"libc6, awk, zlib1g", "awk"},
	}
	for _, field := range []string{"Depends: ", "Pre-Depends: "} {
		for _, tt := range tests {
			t.Run(field+tt.depends, func(t *testing.T) {
				c := read(t, stanza("app", "1", field+tt.depends))
				err := errors.Join(checkDepends(c, append(c, available...), newExclusions(nil))...)
				if tt.missing == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, "package app 1 needs "+tt.missing+", which is neither listed nor excluded")
				}
			})
		}
	}
}

func TestDebianDepends(t *testing.T) {
	suites := testSuites()
	suites[0].packages = []string{
		stanza("libc6", "1", "Depends: gcc-base, awk | mawk, pip"),
		stanza("zlib1g", "1", "Depends: debconf (>= 0.5) | debconf-2.0"),
		stanza("pip", "1", "Depends: zlib1g, ca"),
	}
	a := newArchives(t, suites[0])
	in := testInput
	in.Suites = in.Suites[:1]
	_, err := resolveFrom(a, in)
	require.Equal(t, []string{
		"package libc6 1 needs awk | mawk, which is neither listed nor excluded (linux/amd64, linux/arm64)",
		"package libc6 1 needs gcc-base, which is neither listed nor excluded (linux/amd64, linux/arm64)",
		// The builder's packages are in no image.
		"package libc6 1 needs pip, which is neither listed nor excluded (linux/amd64, linux/arm64)",
		"package pip 1 needs ca, which is neither listed nor excluded (linux/amd64, linux/arm64)",
		"package zlib1g 1 needs debconf (>= 0.5) | debconf-2.0, which is neither listed nor excluded (linux/amd64, linux/arm64)",
	}, strings.Split(err.Error(), "\n"))

	in.Exclude = []Exclusion{
		{Package: "libc6", Depends: "gcc-base"}, {Package: "libc6", Depends: "mawk"}, {Package: "libc6", Depends: "pip"},
		{Package: "zlib1g", Depends: "debconf"}, {Package: "pip", Depends: "ca"},
	}
	_, err = resolveFrom(a, in)
	require.NoError(t, err)

	in.Exclude = append(in.Exclude, Exclusion{Package: "pip", Depends: "zlib1g"}, Exclusion{Package: "pip", Depends: "wheel"})
	_, err = resolveFrom(a, in)
	require.EqualError(t, err, "package pip: the exclusion of zlib1g is needless: no such dependency is missing\n"+
		"package pip: the exclusion of wheel is needless: no such dependency is missing")
}

// read returns the candidates that stanzas describe.
func read(t *testing.T, stanzas ...string) []candidate {
	listed := map[string]bool{}
	for _, s := range stanzas {
		listed[string(stanzaName([]byte(s)))] = true
	}
	found, err := readPackages(strings.NewReader(strings.Join(stanzas, "\n")), listed, "amd64")
	require.NoError(t, err)
	require.Len(t, found, len(stanzas))
	return found
}
