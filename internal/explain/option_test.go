package explain_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
)

const (
	hashA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// lines are findings and warnings without the file's name.
func lines(findings []explain.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, strings.TrimPrefix(f.String(), "r.txt: "))
	}
	return all
}

// Every option that pip documents is honoured, refused or warned about, and the
// users' table says which.
func TestOptions(t *testing.T) {
	const place = "a lock does not say where packages come from: "
	files := map[string]string{"b.txt": "b==1\n", "c.txt": "c<2\n"}
	for option, c := range map[string]struct {
		list     string
		is       string // as the users' table says
		says     string
		honoured func(in explain.Query) bool
	}{
		"--requirement":       {"-r b.txt\n", "honoured", "", func(in explain.Query) bool { return in.Requirements[0] == "b==1" }},
		"--constraint":        {"-c c.txt\n", "honoured", "", func(in explain.Query) bool { return in.Constraints[0] == "c<2" }},
		"--editable":          {"-e .\n", "refused", "files of this machine cannot be locked: copy them in as the service's source", nil},
		"--index-url":         {"-i https://h/simple\n", "refused", place + "set UV_DEFAULT_INDEX instead", nil},
		"--extra-index-url":   {"--extra-index-url https://h/simple\n", "refused", place + "set UV_INDEX instead", nil},
		"--find-links":        {"-f https://h/files\n", "refused", place + "set UV_FIND_LINKS instead", nil},
		"--no-index":          {"--no-index\n", "refused", "a lock needs an index: remove it", nil},
		"--trusted-host":      {"--trusted-host h\n", "warned", "certificates are verified all the same: name the authority with --ca-bundle, or set UV_INSECURE_HOST", nil},
		"--no-binary":         {"--no-binary a\n", "honoured", "", func(in explain.Query) bool { return in.NoBinary[0] == "a" }},
		"--only-binary":       {"--only-binary :all:\n", "honoured", "", func(in explain.Query) bool { return in.OnlyBinary[0] == ":all:" }},
		"--all-releases":      {"--all-releases a\n", "honoured", "", func(in explain.Query) bool { return in.AllReleases[0] == "a" }},
		"--only-final":        {"--only-final a\n", "honoured", "", func(in explain.Query) bool { return in.OnlyFinal[0] == "a" }},
		"--pre":               {"--pre\n", "honoured", "", func(in explain.Query) bool { return in.AllReleases[0] == ":all:" }},
		"--prefer-binary":     {"--prefer-binary\n", "warned", "the newest version is locked, and compiled where it has no wheel: --only-binary forbids that", nil},
		"--require-hashes":    {"--require-hashes\nh==1 --hash=" + hashA + "\n", "honoured", "", func(in explain.Query) bool { return in.Required.First == 1 }},
		"--no-require-hashes": {"--no-require-hashes\nh==1 --hash=" + hashA + "\na\n", "honoured", "", func(in explain.Query) bool { return in.Required == nil }},
		"--use-feature":       {"--use-feature=fast-deps\n", "warned", "it is about pip, which does not resolve here", nil},
		"--hash":              {"h==1 --hash=" + hashA + "\n", "honoured", "", func(in explain.Query) bool { return in.Pins[0].Hashes[0] == hashA }},
		"--config-settings":   {"a -C x=y\n", "refused", "--config-settings: a source is built by its own settings: remove it", nil},
		"--global-option":     {"a --global-option=x\n", "refused", "--global-option: a source is built by its own settings: remove it", nil},
		"--install-option":    {"a --install-option=x\n", "refused", "--install-option: a source is built by its own settings: remove it", nil},
	} {
		files["r.txt"] = c.list
		p := read(t, files, "r.txt")
		findings, warnings := lines(p.Findings()), lines(p.Warnings())
		text, _, _ := strings.Cut(c.list, "\n")
		switch said := []string{"line 1: " + text + ": " + c.says}; c.is {
		case "refused":
			require.Equal(t, said, findings, option)
			require.Empty(t, warnings, option)
		case "warned":
			require.Empty(t, findings, option)
			require.Equal(t, said, warnings, option)
		default:
			require.Empty(t, append(findings, warnings...), option)
			require.True(t, c.honoured(p.Query()), option)
		}
		documented(t, option, c.is)
	}
	require.Equal(t, 21, explain.OptionCount())
}

func documented(t *testing.T, option, is string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/locks.md")
	require.NoError(t, err)
	for line := range strings.SplitSeq(string(data), "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.Contains(cells[1], "`"+option) {
			require.True(t, strings.HasPrefix(strings.TrimSpace(cells[2]), is), "%s is %s: %s", option, is, line)
			return
		}
	}
	require.Fail(t, "docs/locks.md does not say what is made of "+option)
}

// The last of two options wins; a name wins over all.
func TestFormats(t *testing.T) {
	for list, want := range map[string]explain.Query{
		"--no-binary A_b,c\n":                                       {NoBinary: []string{"a-b", "c"}},
		"--no-binary=a\n--only-binary=a\n":                          {OnlyBinary: []string{"a"}},
		"--only-binary a\n--no-binary :all:\n":                      {NoBinary: []string{":all:"}},
		"--no-binary :all:\n--only-binary a\n":                      {NoBinary: []string{":all:"}, OnlyBinary: []string{"a"}},
		"--no-binary :all:\n--no-binary :none:\n":                   {},
		"--no-binary a --no-binary :all:,:none:,b\n":                {NoBinary: []string{"b"}},
		"--only-binary :all:\n--no-binary :none:\n":                 {OnlyBinary: []string{":all:"}},
		"--pre\n--only-final a\n":                                   {AllReleases: []string{":all:"}, OnlyFinal: []string{"a"}},
		"--only-final a\n--pre\n":                                   {AllReleases: []string{":all:"}, OnlyFinal: []string{"a"}},
		"--only-final a\n--all-releases :all:\n":                    {AllReleases: []string{":all:"}},
		"--only-binary a\n-r more.txt\n--only-binary b\n":           {NoBinary: []string{"a"}, OnlyBinary: []string{"b"}},
		"-c more.txt\n--only-binary :all:\n":                        {OnlyBinary: []string{":all:"}},
		"--only-binary :all:\n-c more.txt\n-c more.txt\n-r r.txt\n": {OnlyBinary: []string{":all:"}, NoBinary: []string{"a", "b"}},
	} {
		in := read(t, map[string]string{"r.txt": list, "more.txt": "--no-binary a,b\n"}, "r.txt").Query()
		require.Equal(t, want, explain.Query{NoBinary: in.NoBinary, OnlyBinary: in.OnlyBinary, AllReleases: in.AllReleases, OnlyFinal: in.OnlyFinal}, list)
	}
}

func TestHashes(t *testing.T) {
	sha512 := "sha512:" + strings.Repeat("c", 128)
	for list, c := range map[string]struct {
		findings, warnings []string
		pins               []string
		suggested          string
	}{
		"a==1 \\\n  --hash " + hashA + " \\\n  --hash=" + strings.ToUpper(hashB[7:8]) + "x\n": {
			findings: []string{": --hash=Bx: pip takes sha256, sha384 and sha512"},
			pins:     []string{"a 1 " + hashA},
		},
		"a==1 --hash=" + hashA + " --hash=" + sha512 + "\n": {pins: []string{"a 1 " + hashA}},
		"a===1 --hash=" + sha512 + "\n": {
			findings: []string{"a lock has SHA-256 hashes: name those of its files"},
		},
		"a>=1 --hash=" + hashA + "\n": {findings: []string{"a hash is of one version: pin it with =="}},
		"a==1 --hash=" + hashA + "\nb==2\nc\n": {
			warnings: []string{"line 2: b==2: it has no hash, and other lines have: pip would refuse the list; the lock takes the index's word for b on line 2, c on line 3"},
			pins:     []string{"a 1 " + hashA},
		},
		"--require-hashes\na==1 --hash=" + hashA + "\nb==2\nc\nd\ne\n": {
			findings:  []string{"line 1: --require-hashes: no hash for b on line 3, c on line 4, d on line 5 and 1 more"},
			pins:      []string{"a 1 " + hashA},
			suggested: "# --require-hashes: no hash for b on line 3, c on line 4, d on line 5 and 1 more\na==1 --hash=" + hashA + "\nb==2\nc\nd\ne\n",
		},
		"--require-hashes\na\n-c c.txt\nb; python_version < '3'\n": {pins: []string{"a 2 " + hashB}},
		"a==1 --hash=" + hashA + " --config-settings x=y  # why\n": {
			findings:  []string{"--config-settings: a source is built by its own settings: remove it"},
			pins:      []string{"a 1 " + hashA},
			suggested: "a==1 \\\n    --hash=" + hashA + "  # why\n",
		},
		// A backslash is forgotten, or something stands behind it.
		"a==1  # why\n\n  --hash=" + hashA + " \\\n  --hash=" + hashB + "\nb\n": {
			findings:  []string{"line 3: --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...: end line 1 with a backslash: this belongs to it"},
			warnings:  []string{"line 5: b: it has no hash, and other lines have: pip would refuse the list; the lock takes the index's word for b on line 5"},
			pins:      []string{"a 1 " + hashA + " " + hashB},
			suggested: ": end line 1 with a backslash: this belongs to it\na==1 \\\n  --hash=" + hashA + " \\\n  --hash=" + hashB + "\n\nb\n",
		},
		"a==1 \\ \n  --hash=" + hashA + "\n": {
			findings:  []string{"line 1: a==1 \\: nothing may follow the backslash", "line 2: --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: end line 1 with a backslash: this belongs to it"},
			pins:      []string{"a 1 " + hashA},
			suggested: "\na==1 \\\n    --hash=" + hashA + "\n",
		},
		"--hash=" + hashA + "\na==1\n": {findings: []string{"--hash stands behind a requirement, on its line"}},
	} {
		p := read(t, map[string]string{"r.txt": list, "c.txt": "a==2 --hash=" + hashB + "\n"}, "r.txt")
		findings := lines(p.Findings())
		require.Len(t, findings, len(c.findings), "%s %s", list, findings)
		for i, want := range c.findings {
			require.Contains(t, findings[i], want, list)
		}
		require.Equal(t, c.warnings, lines(p.Warnings()), list)
		var pins []string
		for _, pin := range p.Query().Pins {
			pins = append(pins, pin.Name+" "+pin.Version+" "+strings.Join(pin.Hashes, " "))
		}
		require.Equal(t, c.pins, pins, list)
		suggested := string(explain.Diagnose(p, nil).Suggested()["r.suggested.txt"])
		require.Contains(t, suggested, c.suggested, list)
		require.Empty(t, read(t, map[string]string{"r.txt": suggested, "c.txt": "a==2 --hash=" + hashB}, "r.txt").Findings(), list)
	}
}

// What the environment says already is not refused; credentials are never told.
func TestPlaces(t *testing.T) {
	env := map[string]string{
		"UV_DEFAULT_INDEX": "https://user:hunter2@h/simple/", "UV_INDEX": "team=https://extra/simple https://more/simple", "UV_FIND_LINKS": "https://files/a,https://files/b",
		"TOKEN": "hunter2",
	}
	p, err := explain.Read("r.txt", func(string) ([]byte, error) {
		return []byte(strings.Join([]string{
			"--index-url https://h/simple", "--extra-index-url https://extra/simple/", "--extra-index-url=https://h/simple", "-f https://files/b",
			"-i https://${TOKEN}@h/simple --extra-index-url https://more/simple", // fine so far
			"-i https://other/simple", "-i https://user:hunter2@h/simple", "-f ./wheels", "--extra-index-url https://${TOKEN}@other/simple --pre",
			"a @ https://${TOKEN}@h/a.zip", "b==${TOKEN}x",
		}, "\n")), nil
	}, func(name string) string { return env[name] })
	require.NoError(t, err)
	const rule = "a lock does not say where packages come from: "
	require.Equal(t, []string{
		"line 6: -i https://other/simple: " + rule + "UV_DEFAULT_INDEX is set, and names another: remove it",
		"line 7: -i https://***@h/simple: " + rule + "set UV_DEFAULT_INDEX instead, with the credentials in ~/.netrc",
		"line 8: -f ./wheels: files of this machine cannot be locked: serve them, and set UV_FIND_LINKS",
		"line 9: --extra-index-url https://${TOKEN}@other/simple --pre: --extra-index-url: " + rule + "set UV_INDEX instead",
		"line 10: a @ https://${TOKEN}@h/a.zip: an address has no hash to lock: name a released version",
		"line 11: b==${TOKEN}x: not a requirement: \"==${TOKEN}x\" is no version",
	}, lines(p.Findings()))
	for name, text := range explain.Diagnose(p, nil).Suggested() {
		require.NotContains(t, string(text), "hunter2", name)
		require.Contains(t, string(text), "\n--pre\n")
	}
}

// Variables are pip's: in braces and capitals, an empty one is not set.
func TestVariables(t *testing.T) {
	env := map[string]string{"DIR": "sub/dir", "V": "1.2", "EMPTY": "", "lower": "x"}
	files := map[string]string{
		"r.txt": "-r ${DIR}/b.txt\n-c ${EMPTY}/c.txt\na==${V}\nb==${lower}\nc${EMPTY}==1\n-r $DIR/d.txt\nd==1 # ${V}\n--no-binary ${NAME}\n", "sub/dir/b.txt": "logging\n",
	}
	p, err := explain.Read("r.txt", func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}, func(name string) string { return env[name] })
	require.NoError(t, err)
	require.Equal(t, []string{
		"line 2: -c ${EMPTY}/c.txt: the variable ${EMPTY} is not set",
		"line 4: b==${lower}: not a requirement: the variable ${lower}: pip knows only ${NAME}, in capitals",
		"line 5: c${EMPTY}==1: not a requirement: the variable ${EMPTY} is not set",
		"line 6: -r $DIR/d.txt: there is no file $DIR/d.txt",
		"line 8: --no-binary ${NAME}: not a requirement: the variable ${NAME} is not set",
		"sub/dir/b.txt: line 1: logging: part of Python, remove it",
	}, lines(p.Findings()))
	require.True(t, p.Incomplete())
	require.Equal(t, []string{"a==1.2", "b", "c", "d==1"}, p.Query().Requirements)
	suggested := explain.Diagnose(p, nil).Suggested()
	require.Contains(t, string(suggested["r.suggested.txt"]), "-r ${DIR}/b.suggested.txt\n")
	require.Contains(t, string(suggested["r.suggested.txt"]), "\na==${V}\n")
	require.Contains(t, suggested, "sub/dir/b.suggested.txt")
}

// A project of a module's name may be its backport, which harms nothing.
func TestBackports(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "configparser>=5.3.0\ndataclasses==0.6; python_version < '3.7'\nasyncio\nimportlib-metadata\nargparse==1.4.0\npathlib\ntyping\n"}, "r.txt")
	const why = "a backport of a module that Python 3.11 has: it is installed, and never used"
	require.Equal(t, []string{"line 1: configparser>=5.3.0: " + why, "line 5: argparse==1.4.0: " + why}, lines(p.Warnings()))
	require.Equal(t, []string{
		"line 3: asyncio: part of Python, remove it", "line 6: pathlib: part of Python, remove it", "line 7: typing: part of Python, remove it",
	}, lines(p.Findings()))
	require.Equal(t, []string{"configparser>=5.3.0", "importlib-metadata", "argparse==1.4.0"}, p.Query().Requirements)
}

// A constraint limits a version and asks for nothing; a file that is included as
// both is a list.
func TestConstraints(t *testing.T) {
	files := map[string]string{"r.txt": "-c c.txt\n-c both.txt\n-r both.txt\na\n", "c.txt": "a[x]==1\n", "both.txt": "b==1\n-c limits.txt\n-r more.txt\n", "limits.txt": "l<2\n", "more.txt": "m\n"}
	p := read(t, files, "r.txt")
	require.Equal(t, []string{"c.txt: line 1: a[x]==1: a constraint has no extras"}, lines(p.Findings()))
	require.False(t, p.Incomplete())
	in := p.Query()
	require.Equal(t, []string{"a", "b==1", "m"}, in.Requirements)
	require.Equal(t, []string{"a==1", "l<2"}, in.Constraints)
	require.Equal(t, "a==1\n", strings.SplitAfter(string(explain.Diagnose(p, nil).Suggested()["c.suggested.txt"]), "extras\n")[1])
}
