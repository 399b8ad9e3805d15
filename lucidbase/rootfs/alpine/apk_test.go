package alpine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const installed = `C:Q1abc=
P:musl
V:1.2.5-r0
L:MIT
D:musl-data=1 so:x.so.1 /bin/sh !conflict
F:lib
M:0:0:755
R:libc.so
a:0:0:777
Z:Q1xyz=
R:ld.so
F:etc
R:ld.path

P:musl-data
V:1
F:usr/share/data
R:a

`

func TestParseApk(t *testing.T) {
	all, err := parseApk([]byte(installed))
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "musl", all[0].Name)
	require.Equal(t, "1.2.5-r0", all[0].Version)
	require.Equal(t, []string{"musl-data=1", "so:x.so.1", "/bin/sh", "!conflict"}, all[0].depends)
	require.Equal(t, "lib/libc.so", all[0].dirs[0].files[0].name)
	require.Equal(t, installed, formatApk(all))

	own := all[0].only(func(name string) bool { return name == "lib/libc.so" })
	require.Equal(t, "C:Q1abc=\nP:musl\nV:1.2.5-r0\nL:MIT\nD:musl-data=1 so:x.so.1 /bin/sh !conflict\n"+
		"F:lib\nM:0:0:755\nR:libc.so\na:0:0:777\nZ:Q1xyz=\n\n", formatApk([]*apkPackage{own}))
	require.Nil(t, all[0].only(func(string) bool { return false }))
}

func TestParseApkRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"P:a\nV:1\nnonsense\n":         `line 3: "nonsense" is no field`,
		"P:a\n\n":                      "line 2: a package without name or version",
		"V:1\n":                        "a package without name or version",
		"P:a\nV:1\nR:x\n":              `line 3: file "x" is in no directory`,
		"P:a\nV:1\nF:etc\nR:../x\n":    `line 4: file "../x" is in no directory`,
		"P:a\nV:1\nF:../etc\n":         "line 3: leaves the root",
		"P:a\nV:1\nP:b\nV:1\nF:x\n\n":  "line 3: a second package without an empty line between",
		"P:a\nV:1\nF:/etc\nR:passwd\n": "line 3: is not a clean path",
	} {
		_, err := parseApk([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

func FuzzParseApk(f *testing.F) {
	f.Add([]byte(installed))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parseApk(data)
		if err != nil {
			return
		}
		again, err := parseApk([]byte(formatApk(all)))
		require.NoError(t, err)
		require.Equal(t, all, again)
	})
}
