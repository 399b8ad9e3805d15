package lock

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	hashA = "sha256:" + strings.Repeat("a", 64)
	hashB = "sha256:" + strings.Repeat("b", 64)
)

func TestParseRequirements(t *testing.T) {
	text := "# made by uv\n\n" +
		"Flask_Cors == 1.0 --hash=" + hashA + "\n" // pip allows no space here
	_, err := ParseRequirements("x", []byte(text))
	require.ErrorContains(t, err, "line 3: ")

	text = "# made by uv\n\n" +
		"Flask_Cors==1.0+local.1 --hash=" + hashB + " \\\r\n  --hash=" + hashA + " \\\r\n  --hash=" + hashA + "\r\n" +
		"    # via x\n" +
		"uvicorn[standard,x]==2!1.0.post1 ; sys_platform != 'win32' \\\n    --hash=" + hashA + "  # a note\n" +
		"async.timeout==1 ; python_full_version < '3' --hash=" + hashA + "\n" +
		"async.timeout==2 ; python_full_version >= '3' --hash=" + hashA
	got, err := ParseRequirements("x", []byte(text))
	require.NoError(t, err)
	require.Equal(t, Requirements{
		{Name: "flask-cors", Version: "1.0+local.1", Hashes: []string{hashA, hashB}},
		{Name: "uvicorn", Version: "2!1.0.post1", Marker: "sys_platform != 'win32'", Hashes: []string{hashA}},
		{Name: "async-timeout", Version: "1", Marker: "python_full_version < '3'", Hashes: []string{hashA}},
		{Name: "async-timeout", Version: "2", Marker: "python_full_version >= '3'", Hashes: []string{hashA}},
	}, got)
	again, err := ParseRequirements("x", got.Format())
	require.NoError(t, err)
	require.Equal(t, got, again)
}

func TestParseRequirementsRefuses(t *testing.T) {
	good := "idna==1 --hash=" + hashA + "\n"
	for text, want := range map[string]string{
		"aiohttp==1":                              "line 3: aiohttp: no hash",
		"aiohttp>=1 --hash=" + hashA:              `line 3: "aiohttp>=1" is not NAME==VERSION with hashes`,
		"aiohttp --hash=" + hashA:                 `line 3: "aiohttp" is not NAME==VERSION`,
		"aiohttp==1 --hash=sha256:0":              "line 3: aiohttp: \"--hash=sha256:0\" is not",
		"aiohttp==1 --hash=md5:0":                 "line 3: aiohttp: \"--hash=md5:0\" is not",
		"aiohttp==1 --pre --hash=" + hashA:        "line 3: aiohttp: \"--pre\" is not",
		"--index-url x":                           "line 3: ",
		"-r other.txt":                            "line 3: ",
		"aiohttp @ x --hash=" + hashA:             "line 3: ",
		"./aiohttp.whl --hash=" + hashA:           "line 3: ",
		"IDNA==2 --hash=" + hashA + "\n" + good:   "line 4: idna: listed before, on line 1",
		"aiohttp==1 \\\n \\\n --hash=x\n\nidna=1": "line 7: \"idna=1\" is not",
	} {
		first := good
		if strings.HasPrefix(text, "IDNA") {
			first = ""
			text = good + "\n# x\n" + "idna==1 --hash=" + hashB
		}
		if first != "" {
			text = first + "# x\n" + text
		}
		_, err := ParseRequirements("t.lock.txt", []byte(text))
		require.ErrorContains(t, err, "parsing t.lock.txt: "+want)
	}
}

func TestWithout(t *testing.T) {
	req := func(name, version, hash string) Requirement {
		return Requirement{Name: name, Version: version, Hashes: []string{hash}}
	}
	lower := Requirements{req("all", "1", hashA), req("old", "1", hashA)}
	tests := map[string]struct {
		r    Requirement
		own  bool
		want string
	}{
		"same":          {r: req("all", "1", hashA)},
		"new":           {r: req("new", "1", hashA), own: true},
		"other version": {r: req("all", "2", hashA), want: "all: version 2 here, 1 in the tier below"},
		"other hash":    {r: req("old", "1", hashB), want: "old: other hashes of version 1 than in the tier below"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			own, err := Requirements{tt.r}.Without(lower)
			if tt.want != "" {
				require.EqualError(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.own, len(own) == 1)
		})
	}
}

func FuzzParseRequirements(f *testing.F) {
	f.Add([]byte("a==1 ; x < '3' \\\n  --hash=" + hashA + " # note\nb[c]==1!2+l --hash=" + hashB))
	committed, err := os.ReadFile(Minimal.LockFile())
	require.NoError(f, err)
	f.Add(committed[:4096])
	f.Fuzz(func(t *testing.T, data []byte) {
		reqs, err := ParseRequirements("fuzz", data)
		if err != nil {
			require.ErrorContains(t, err, "parsing fuzz: line ")
			return
		}
		again, err := ParseRequirements("fuzz", reqs.Format())
		require.NoError(t, err)
		require.Equal(t, reqs, again)
	})
}
