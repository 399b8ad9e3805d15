package resolve

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

const testList = `# "libc6" is named in a comment
suites = [
  { archive = "debian", suite = "bookworm" },
  { archive = "debian-security", suite = "bookworm-security" },
]
rootfs = [
  "libc6",
  "tzdata",
]
builder = ["pip"]
exclude = [
  { package = "libc6", depends = "libgcc-s1", reason = "why" },
  { package = "tzdata", depends = "debconf", reason = "why" },
]
`

func TestParseDebianList(t *testing.T) {
	in, err := ParseDebianList("in.toml", []byte(testList))
	require.NoError(t, err)
	require.Equal(t, DebianList{
		Suites:  []ListedSuite{{"debian", "bookworm"}, {"debian-security", "bookworm-security"}},
		Rootfs:  []string{"libc6", "tzdata"},
		Builder: []string{"pip"},
		Exclude: []Exclusion{{"libc6", "libgcc-s1", "why"}, {"tzdata", "debconf", "why"}},
	}, in)
}

func TestParseDebianListRefuses(t *testing.T) {
	for want, edit := range map[string][2]string{
		"line 3: suite \"\" of archive \"debian\": not a name":   {`"bookworm"`, `""`},
		"line 4: suite bookworm of archive debian: listed twice": {`"debian-security", suite = "bookworm-security"`, `"debian", suite = "bookworm"`},
		"line 8: libc6: listed twice":                            {`"tzdata",`, `"libc6",`},
		"line 10: bash: listed twice": {`builder = [`, `headers = ["bash", "bash"]
builder = [`},
		"line 10: tzdata: listed twice":                               {`"pip"`, `"tzdata"`},
		"line 8: \"Time\": not a Debian package name":                 {`"tzdata",`, `"Time",`},
		"line 13: tzdata: excludes debconf, but is not listed itself": {"  \"tzdata\",\n", "\n"},
		"line 13: tzdata: excludes libc6, which is listed":            {`"debconf"`, `"libc6"`},
		"line 13: tzdata: excludes debconf without a reason":          {`"debconf", reason = "why"`, `"debconf", reason = ""`},
		"line 13: tzdata: excludes \"\", which is not a Debian":       {`"debconf"`, `""`},
		"line 13: libc6: excludes libgcc-s1 twice":                    {`"tzdata", depends = "debconf"`, `"libc6", depends = "libgcc-s1"`},
		"line 10: unknown key bilder":                                 {"builder", "bilder"},
		"line 12: unknown key exclude.why":                            {`reason = "why" },`, `why = "x" },`},
		"line 7: ":                                                    {`"libc6",`, `libc6,`},
		"line 10: builder: ":                                          {`["pip"]`, `7`},
		"line 1: no suites":                                           {"suites = [\n  { archive = \"debian\", suite = \"bookworm\" },\n  { archive = \"debian-security\", suite = \"bookworm-security\" },\n]", ""},
		"line 6: rootfs: no packages":                                 {"rootfs = [\n  \"libc6\",\n  \"tzdata\",\n]", "rootfs = []"},
	} {
		require.Contains(t, testList, edit[0])
		_, err := ParseDebianList("in.toml", []byte(strings.Replace(testList, edit[0], edit[1], 1)))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "parsing in.toml: ")
	}
}

func TestLibraries(t *testing.T) {
	const list = `suites = [{ archive = "debian", suite = "bookworm" }]
rootfs = ["libc6"]
headers = ["libffi-dev", "libyaml-dev"]
`
	in, err := ParseDebianList("debian12.toml", []byte(list+"[libraries]\ncffi = [\"libffi-dev\"]\n"))
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"cffi": {"libffi-dev"}}, in.Libraries)
	for libraries, want := range map[string]string{
		`cffi = ["libpq-dev"]`:                "line 5: libraries: cffi: libpq-dev is not one of headers",
		`cffi = []`:                           "line 5: libraries: cffi: none",
		`CFFI = ["libffi-dev"]`:               `line 5: libraries: "CFFI" is not a normalised project name`,
		`cffi = ["libffi-dev", "libffi-dev"]`: "line 5: libraries: cffi: libffi-dev: listed twice",
	} {
		_, err := ParseDebianList("debian12.toml", []byte(list+"[libraries]\n"+libraries+"\n"))
		require.EqualError(t, err, "parsing debian12.toml: "+want)
	}
}

func TestDefaultLists(t *testing.T) {
	in, err := DefaultLists()
	require.NoError(t, err)
	require.Len(t, in.Debian.Suites, 3)
	require.Contains(t, in.Debian.Rootfs, "python3.11-minimal")
	for _, tier := range lock.Tiers() {
		require.NotEmpty(t, in.Python[tier.ListFile()], tier)
	}
}

func FuzzParseDebianList(f *testing.F) {
	f.Add([]byte(testList))
	committed, err := fs.ReadFile(lock.Files(), DebianListFile)
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := ParseDebianList("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: ")
			require.ErrorContains(t, err, "line ")
			return
		}
		written, err := toml.Marshal(in)
		require.NoError(t, err)
		again, err := ParseDebianList("fuzz", written)
		require.NoError(t, err)
		require.Equal(t, in, again)
	})
}
