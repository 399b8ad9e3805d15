package resolve

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// closureFrom resolves names from a test archive of two suites.
func closureFrom(t *testing.T, names []string, packages ...string) ([]string, error) {
	t.Helper()
	source := newArchives(t,
		suite{archive: "debian", name: "bookworm", packages: packages},
		suite{archive: "debian-security", name: "bookworm-security", packages: []string{stanza("libssl3", "3.0.2", "Depends: libc6")}})
	r := testResolver(source)
	r.in = DebianList{Suites: []ListedSuite{{"debian", "bookworm"}, {"debian-security", "bookworm-security"}}}
	p, err := r.fetchPool(context.Background(), "amd64")
	require.NoError(t, err)
	require.Len(t, p.suites, 2)
	chosen, err := p.closure(append(names, p.essential...))
	var found []string
	for _, c := range layerOf(chosen).Packages {
		found = append(found, c.Archive+"/"+c.Name+" "+c.Version)
	}
	return found, err
}

func TestClosure(t *testing.T) {
	packages := []string{
		stanza("libc6", "2.36", "Depends: libgcc-s1"),
		stanza("libgcc-s1", "12", "Depends: libc6"), // a circle
		stanza("dash", "0.5", "Essential: yes", "Priority: required"),
		stanza("libssl3", "3.0.1", "Depends: libc6"),
		stanza("server", "5", "Depends: libssl3 (>= 3), awk, mail | libc6, one | two"),
		stanza("gawk", "5", "Provides: awk", "Priority: optional"),
		stanza("mawk", "1", "Provides: awk", "Priority: required"),
		stanza("one", "1"),
		stanza("two", "1"),
		stanza("newer", "1", "Depends: libc6 (>= 9)"),
		stanza("lost", "1", "Depends: nothing | less (= 1)"),
	}
	found, err := closureFrom(t, []string{"server", "two"}, packages...)
	require.NoError(t, err)
	require.Equal(t, []string{
		"debian/dash 0.5", "debian/libc6 2.36", "debian/libgcc-s1 12", "debian-security/libssl3 3.0.2", "debian/mawk 1",
		"debian/server 5", "debian/two 1", // which satisfies "one | two"
	}, found)

	_, err = closureFrom(t, []string{"awk", "serve", "newer", "lost"}, packages...)
	require.EqualError(t, err, "package awk: in none of the suites; it is what mawk, gawk provide\n"+
		"package serve: in none of the suites; did you mean server?\n"+
		"package newer 1 needs libc6 (>= 9): in none of the suites\n"+
		"package lost 1 needs nothing | less (= 1): in none of the suites")
}

func TestClosureOfAnotherPlatform(t *testing.T) {
	_, _, err := Closure(t.Context(), newArchives(t), []string{"redis-server"}, "linux/riscv64", testNow)
	require.EqualError(t, err, "resolving Debian packages: platform linux/riscv64: Debian has no packages for it")
	layer, _, err := Closure(t.Context(), newArchives(t), []string{"redis-server"}, "linux/amd64", testNow)
	require.ErrorContains(t, err, "resolving Debian packages: archive ")
	require.Equal(t, lock.Layer{}, layer)
}
