package scan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackages(t *testing.T) {
	var f File
	require.NoError(t, parseDpkg(&f, []byte("Package: a\nStatus: install ok installed\nVersion: 1-1\nDescription: x\n Package: no\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 2\n\nPackage: c\nVersion: 3\n")))
	require.Equal(t, []Package{{"a", "1-1", "dpkg"}, {"c", "3", "dpkg"}}, f.Packages)
	require.EqualError(t, parseDpkg(&File{}, []byte("Package: a\n\n")), "a: no Version")
	f = File{}
	require.NoError(t, parseApk(&f, []byte("C:Q1x=\nP:musl\nV:1.2.5-r0\nF:lib\n\nP:zlib\nV:1.3-r2\n")))
	require.Equal(t, []Package{{"musl", "1.2.5-r0", "apk"}, {"zlib", "1.3-r2", "apk"}}, f.Packages)
	require.EqualError(t, parseApk(&File{}, []byte("P:musl\n")), "musl: no V")
}
