package resolve

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// systemSuites have what services ask for.
func systemSuites() []suite {
	return []suite{
		{archive: "debian", name: "bookworm", packages: []string{
			stanza("libc6", "2.36", "Provides: libc6-virtual"), stanza("libssl3", "3.0.17"),
			stanza("libpq5", "15.14", "Depends: libc6 (>= 2.25), libssl3 (>= 3.0.0), libldap (>= 2.5)"),
			stanza("libldap", "2.5", "Pre-Depends: debconf (>= 0.5) | debconf-2.0", "Depends: adduser, libsasl, perl:any"),
			stanza("libsasl", "2.1", "Depends: perlapi-5.36.0"), stanza("debconf", "1"), stanza("adduser", "3"), stanza("perl-base", "5.36", "Provides: perlapi-5.36.0, perl"),
			stanza("libkrb", "1.20-1", "Depends: libssl3 (= 3.0.17)"), stanza("libonly", "1", "Depends: libssl3 (= 3.0.19)"),
			stanza("libblas3", "3.11", "Provides: libblas.so.3"), stanza("libatlas3", "3.10", "Provides: libblas.so.3"),
			stanza("numeric", "1", "Depends: libblas3 | libblas.so.3"), stanza("virtual", "1", "Depends: libblas.so.3, libc6-virtual"),
			stanza("other", "1", "Conflicts: libc6 (<< 3)"), stanza("itself", "1", "Provides: same", "Conflicts: same"),
			stanza("lost", "1", "Depends: nowhere (>= 2), libc6"), stanza("both", "1", "Depends: libatlas3, libblas3 | libblas.so.3"),
			stanza("python3-yaml", "6.0"), stanza("libpq-dev", "15", "Depends: libssl-dev, libpq5 (= 15)"), stanza("x-dev", "1"), stanza("circle", "1", "Depends: circular"), stanza("circular", "1", "Depends: circle"),
		}},
		{archive: "debian-security", name: "bookworm-security", packages: []string{
			stanza("libssl3", "3.0.18"), stanza("libpq5", "15.15", "Depends: libc6 (>= 2.25), libssl3 (>= 3.0.0), libldap (>= 2.5)"),
			stanza("libkrb", "1.20-2", "Depends: libssl3 (= 3.0.18)"),
		}},
	}
}

// systemOf resolves packages on a base that has libc6 and an old libssl3.
func systemOf(t *testing.T, packages ...string) (lock.System, error) {
	base := lock.Debian{Platforms: map[string]lock.DebianPlatform{}}
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		base.Platforms[platform] = lock.DebianPlatform{Rootfs: lock.Layer{Digest: "sha256:" + strings.Repeat("b", 64), Packages: []lock.Package{
			{Name: "libc6", Version: "2.36"}, {Name: "libssl3", Version: "3.0.17"},
		}}}
	}
	for _, s := range systemSuites() {
		base.Suites = append(base.Suites, lock.Suite{Archive: s.archive, Name: s.name})
	}
	lists, err := DefaultLists()
	require.NoError(t, err)
	locked, _, err := testResolver(newArchives(t, systemSuites()...)).system(t.Context(), systemLock{base: base, packages: packages, without: lists.Debian.Without})
	return locked, err
}

func TestSystemClosure(t *testing.T) {
	for want, packages := range map[string][]string{
		"libldap 2.5 debian, libpq5 15.15 debian-security, libsasl 2.1 debian": {"libpq5", "libc6", "libpq5"},
		"":                                       {"libssl3"},
		"libkrb 1.20-1 debian":                   {"libkrb"}, // the newest one asks for a newer base
		"libblas3 3.11 debian, numeric 1 debian": {"numeric"},
		"libatlas3 3.10 debian, virtual 1 debian": {"virtual"},
		"both 1 debian, libatlas3 3.10 debian":    {"both"}, // one alternative is enough
		"itself 1 debian":                         {"itself"},
		"circle 1 debian, circular 1 debian":      {"circular"},
		"adduser 3 debian":                        {"adduser"}, // left out unless asked for
	} {
		s, err := systemOf(t, packages...)
		require.NoError(t, err)
		for platform, p := range s.Platforms {
			require.Equal(t, want, strings.Join(describe(p.Added), ", "), platform)
			require.Equal(t, "sha256:"+strings.Repeat("b", 64), p.Base)
		}
		require.Len(t, s.Suites, 2)
		require.False(t, s.Suites[1].Date.IsZero())
	}
}

func TestSystemRefuses(t *testing.T) {
	for want, packages := range map[string][]string{
		"package libpq6: in none of the suites; did you mean libpq5? (linux/amd64, linux/arm64)":                         {"libpq6"},
		"package postgresql-client: in none of the suites (linux/amd64, linux/arm64)":                                    {"postgresql-client"},
		"package libblas.so.3: in none of the suites; it is what libatlas3, libblas3 provide (linux/amd64, linux/arm64)": {"libblas.so.3"},
		"package libonly 1 needs libssl3 (= 3.0.19), and the base has 3.0.17 (linux/amd64, linux/arm64)":                 {"libonly"},
		"package lost 1 needs nowhere (>= 2): in none of the suites (linux/amd64, linux/arm64)":                          {"lost"},
		"package other 1 cannot be beside libc6 2.36 (linux/amd64, linux/arm64)":                                         {"other"},
		"package python3-yaml: Python's packages are those of a list of requirements (linux/amd64, linux/arm64)":         {"python3-yaml"},
		"package libpq-dev: it is to compile with; did you mean libpq5? (linux/amd64, linux/arm64)":                      {"libpq-dev"},
		"package x-dev: it is to compile with (linux/amd64, linux/arm64)":                                                {"x-dev"},
		`"Lib PQ": not a Debian package name`:                                                                            {"Lib PQ"},
		"no packages":                                                                                                    nil,
	} {
		_, err := systemOf(t, packages...)
		require.EqualError(t, err, want)
	}
}

func TestSystemChanges(t *testing.T) {
	old, err := systemOf(t, "libkrb")
	require.NoError(t, err)
	now, err := systemOf(t, "libkrb", "numeric")
	require.NoError(t, err)
	require.Equal(t, []string{"debian libblas3 added 3.11", "debian numeric added 1"}, SystemChanges(old, now))
	require.Empty(t, SystemChanges(now, now))
	again, err := systemOf(t, "libkrb", "libc6")
	require.NoError(t, err)
	require.NotEmpty(t, SystemChanges(old, again), "another list")
}

// An error about a package that nobody asked for says who did.
func TestExplained(t *testing.T) {
	a := addition{neededBy: map[string]string{"mount": "udev", "udev": "chromium"}}
	err := explained(fmt.Errorf("adding: %w", &debian.PackageError{Package: "mount", Err: errors.New("mount: is setuid")}), a.why)
	require.EqualError(t, err, "adding: mount: is setuid (mount is needed by udev, and that by chromium)")
	err = explained(&debian.PackageError{Package: "chromium", Err: errors.New("chromium: is odd")}, a.why)
	require.EqualError(t, err, "chromium: is odd")
	require.EqualError(t, explained(io.EOF, a.why), "EOF")
}
