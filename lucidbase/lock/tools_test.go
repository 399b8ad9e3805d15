package lock

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func testTools() Tools {
	return Tools{UV: Tool{Version: "0.13.9", SHA256: map[string]string{
		"linux/amd64": strings.Repeat("a", 64), "linux/arm64": strings.Repeat("b", 64),
	}}}
}

func TestParseTools(t *testing.T) {
	got, err := ParseTools("tools.toml", testTools().Format())
	require.NoError(t, err)
	require.Equal(t, testTools(), got)

	reqs, err := got.Requirements("linux/arm64")
	require.NoError(t, err)
	require.Equal(t, "uv==0.13.9 \\\n    --hash=sha256:"+strings.Repeat("b", 64)+"\n", string(reqs.Format()))
	_, err = got.Requirements("linux/s390x")
	require.EqualError(t, err, "uv 0.13.9: no wheel locked for build platform linux/s390x")
}

func TestCompiler(t *testing.T) {
	tools := testTools()
	_, err := tools.Compiler("linux/amd64")
	require.EqualError(t, err, "ziglang: not in tools.toml, and a source has to be compiled")
	tools.Zig = Tool{Version: "0.17.1", SHA256: map[string]string{"linux/amd64": strings.Repeat("c", 64)}}
	tools, err = ParseTools("tools.toml", tools.Format())
	require.NoError(t, err)
	reqs, err := tools.Compiler("linux/amd64")
	require.NoError(t, err)
	require.Equal(t, Requirements{{Name: "ziglang", Version: "0.17.1", Hashes: []string{"sha256:" + strings.Repeat("c", 64)}}}, reqs)
	_, err = tools.Compiler("linux/arm64")
	require.EqualError(t, err, "ziglang 0.17.1: no wheel locked for build platform linux/arm64")

	tools.Zig.SHA256["linux/amd64"] = "cc"
	_, err = ParseTools("tools.toml", tools.Format())
	require.EqualError(t, err, `parsing tools.toml: line 10: ziglang: linux/amd64: sha256 "cc" is not 64 hexadecimal digits`)
}

func TestParseToolsRefuses(t *testing.T) {
	good := string(testTools().Format())
	for want, edit := range map[string][2]string{
		"line 2: uv: version \"newest\" is not a version":           {"0.13.9", "newest"},
		"line 5: uv: linux/arm64: sha256 \"bbbb\" is not 64":        {strings.Repeat("b", 64), "bbbb"},
		"line 2: unknown key uv.url":                                {"version =", "url = \"x\"\nversion ="},
		"line 3: uv: no wheel":                                      {good[strings.Index(good, "\"linux/amd64\""):], ""},
		"line 5: uv.sha256.\\\"linux/arm64\\\": incompatible types": {`"linux/arm64" =`, `"linux/arm64".x =`},
		"line 2: ":                                  {"version", "version =="},
		"line 2: uv.version: incompatible types":    {`"0.13.9"`, "13"},
		"line 1: uv: version \"\" is not a version": {good, ""},
	} {
		require.Contains(t, good, edit[0])
		_, err := ParseTools("tools.toml", []byte(strings.Replace(good, edit[0], edit[1], 1)))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "parsing tools.toml: ")
	}
}

func FuzzParseTools(f *testing.F) {
	f.Add(testTools().Format())
	committed, err := os.ReadFile(ToolsFile)
	require.NoError(f, err)
	f.Add(committed)
	f.Fuzz(func(t *testing.T, data []byte) {
		tools, err := ParseTools("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: ")
			require.ErrorContains(t, err, "line ")
			return
		}
		again, err := ParseTools("fuzz", tools.Format())
		require.NoError(t, err)
		require.Equal(t, tools, again)
	})
}
