package lock

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const testInput = `# "libc6" is named in a comment
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

func TestParseDebianInput(t *testing.T) {
	in, err := ParseDebianInput("in.toml", []byte(testInput))
	require.NoError(t, err)
	require.Equal(t, DebianInput{
		Suites:  []SuiteInput{{"debian", "bookworm"}, {"debian-security", "bookworm-security"}},
		Rootfs:  []string{"libc6", "tzdata"},
		Builder: []string{"pip"},
		Exclude: []Exclusion{{"libc6", "libgcc-s1", "why"}, {"tzdata", "debconf", "why"}},
	}, in)
}

func TestParseDebianInputRefuses(t *testing.T) {
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
		require.Contains(t, testInput, edit[0])
		_, err := ParseDebianInput("in.toml", []byte(strings.Replace(testInput, edit[0], edit[1], 1)))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "parsing in.toml: ")
	}
}

func TestDefaultInputs(t *testing.T) {
	in, err := DefaultInputs()
	require.NoError(t, err)
	require.Len(t, in.Debian.Suites, 3)
	require.Contains(t, in.Debian.Rootfs, "python3.11-minimal")
	for _, tier := range Tiers() {
		require.NotEmpty(t, in.Python[tier.InputFile()], tier)
	}
}

func FuzzParseDebianInput(f *testing.F) {
	f.Add([]byte(testInput))
	committed, err := os.ReadFile(InputDebianFile)
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := ParseDebianInput("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: ")
			require.ErrorContains(t, err, "line ")
			return
		}
		again, err := ParseDebianInput("fuzz", encodeTOML(in))
		require.NoError(t, err)
		require.Equal(t, in, again)
	})
}
