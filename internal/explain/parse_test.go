package explain_test

import (
	"encoding/binary"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
)

var digits = strings.Repeat("Ab", 32)

func option(name, value string) []explain.Option {
	return []explain.Option{{Name: name, Value: value}}
}

func TestParseLine(t *testing.T) {
	for text, want := range map[string]explain.Line{
		"requests":                       {Kind: explain.Requirement, Written: "requests", Name: "requests"},
		"  Requests ==\t2.31.0  ":        {Kind: explain.Requirement, Written: "Requests", Name: "requests", Spec: "==2.31.0"},
		"zope.interface>=5 , <7,":        {Kind: explain.Requirement, Written: "zope.interface", Name: "zope-interface", Spec: ">=5,<7"},
		"a (>=1,<2)":                     {Kind: explain.Requirement, Written: "a", Name: "a", Spec: ">=1,<2"},
		"uvicorn[standard]==0.24.0":      {Kind: explain.Requirement, Written: "uvicorn", Name: "uvicorn", Extras: "standard", Spec: "==0.24.0"},
		"x[ a , b ]":                     {Kind: explain.Requirement, Written: "x", Name: "x", Extras: "a,b"},
		"a==1.2.*":                       {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1.2.*"},
		"a==1!2.0+cpu":                   {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1!2.0+cpu"},
		"a~=1.4.2; python_version<'4'":   {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "~=1.4.2", Marker: "python_version<'4'"},
		"a==1 # why":                     {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Comment: "# why"},
		"-r base.txt":                    {Kind: explain.Include, Path: "base.txt", Options: option("--requirement", "base.txt")},
		"-rbase.txt":                     {Kind: explain.Include, Path: "base.txt", Options: option("--requirement", "base.txt")},
		`-r "a b.txt"`:                   {Kind: explain.Include, Path: "a b.txt", Options: option("--requirement", "a b.txt")},
		"--requirement=base.txt":         {Kind: explain.Include, Path: "base.txt", Options: option("--requirement", "base.txt")},
		"-c limits.txt":                  {Kind: explain.Include, Path: "limits.txt", Constraint: true, Options: option("--constraint", "limits.txt")},
		"-c":                             {Problem: "-c without a file"},
		"-i https://h/simple":            {Kind: explain.Setting, Options: option("--index-url", "https://h/simple")},
		"--extra-index-url=https://h":    {Kind: explain.Setting, Options: option("--extra-index-url", "https://h")},
		"--pre":                          {Kind: explain.Setting, Options: option("--pre", "")},
		"--no-binary=:all:":              {Kind: explain.Setting, Options: option("--no-binary", ":all:")},
		"--pre --no-binary a,b":          {Kind: explain.Setting, Options: append(option("--pre", ""), option("--no-binary", "a,b")...)},
		"--pre=1":                        {Problem: "--pre takes no value"},
		"--pre a":                        {Problem: `"a" belongs to no option`},
		"--no-binary":                    {Problem: "--no-binary without a value"},
		"-i 'x":                          {Problem: "a quotation mark without its second"},
		"-r a.txt -r b.txt":              {Problem: "--requirement and --requirement on one line: pip reads one of them"},
		"--no-deps":                      {Problem: "--no-deps is no option of a requirements file"},
		"--frobnicate":                   {Problem: "--frobnicate is no option of a requirements file"},
		"-e .":                           {Kind: explain.Local, Options: option("--editable", ".")},
		"-e git+https://h/x#egg=My_X":    {Kind: explain.Direct, Written: "My_X", Name: "my-x", Options: option("--editable", "git+https://h/x#egg=My_X")},
		"./thing":                        {Kind: explain.Local},
		`C:\wheels\a-1-py3-none-any.whl`: {Kind: explain.Local},
		"a-1-py3-none-any.whl":           {Kind: explain.Local},
		"vendor/thing":                   {Kind: explain.Local},
		"git+ssh://git@h/x.git":          {Kind: explain.Direct},
		"a @ https://h/a.zip":            {Kind: explain.Direct, Written: "a", Name: "a"},
		"a @ file:///x/a":                {Kind: explain.Local, Written: "a", Name: "a"},
		"a=1.0":                          {Written: "a", Name: "a", Problem: "= is no comparison", Remedy: "a==1.0"},
		"a=1.0=py311_0":                  {Written: "a", Name: "a", Problem: "= is no comparison", Remedy: "a==1.0"},
		"a 1.0":                          {Written: "a", Name: "a", Problem: "a version without ==", Remedy: "a==1.0"},
		"a=>1,<2":                        {Written: "a", Name: "a", Problem: "=> is no comparison", Remedy: "a>=1,<2"},
		"a==":                            {Written: "a", Name: "a", Problem: "no version after ==", Remedy: "a"},
		"a==1.0#why":                     {Written: "a", Name: "a", Problem: `"#why" after the version`, Remedy: "a==1.0"},
		"a==1.0 b==2":                    {Written: "a", Name: "a", Problem: `"b==2" after the version`},
		"a~=1":                           {Written: "a", Name: "a", Problem: "~= needs a version of two numbers or more", Remedy: "a>=1"},
		"a>=1.*":                         {Written: "a", Name: "a", Problem: ">= with .*"},
		"a==${VERSION}":                  {Written: "a", Name: "a", Problem: "the variable ${VERSION} is not set", Remedy: "a"},
		"a==$VERSION":                    {Written: "a", Name: "a", Problem: "the variable $VERSION: pip knows only ${NAME}, in capitals", Remedy: "a"},
		"a==1 \\ # why":                  {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Comment: "# why", OptionProblem: "nothing may follow the backslash"},
		"a==1 --hash=sha256:00":          {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Options: option("--hash", "sha256:00"), OptionProblem: "--hash=sha256:00: sha256 has 64 hexadecimal digits"},
		"a==1 --hash md5:00":             {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Options: option("--hash", "md5:00"), OptionProblem: "--hash=md5:00: pip takes sha256, sha384 and sha512"},
		"a==1 --pre":                     {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Options: option("--pre", ""), OptionProblem: "--pre belongs on a line of its own"},
		"a==1 --hash=sha256:" + digits:   {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Options: option("--hash", "sha256:"+digits), Hashes: []string{"sha256:" + strings.ToLower(digits)}},
		"a==1;":                          {Written: "a", Name: "a", Problem: "nothing after the semicolon", Remedy: "a==1"},
		"a[b==1":                         {Written: "a", Name: "a", Problem: "its extras are not [NAME,NAME]"},
		"pip install a":                  {Written: "pip", Name: "pip", Problem: `"install a" is no version`},
		"==1":                            {Problem: "not a project's name"},
	} {
		lines := explain.ParseLines("r.txt", []byte(text), nil)
		require.Len(t, lines, 1, text)
		want.File, want.First, want.Last = "r.txt", 1, 1
		want.Text = strings.TrimSpace(strings.TrimSuffix(text, want.Comment))
		require.Equal(t, want, lines[0], text)
	}
}

func TestParseLinesNumbers(t *testing.T) {
	lines := explain.ParseLines("r.txt", []byte("# one\n\na==1 \\\n    ; python_version > '3' \\\n    --hash=sha256:11\nb\n# not \\\nc"), nil)
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d-%d %s", l.First, l.Last, l.Name))
	}
	require.Equal(t, []string{"3-5 a", "6-6 b", "8-8 c"}, got)
}

// What editors and shells of other systems write is the same file.
func TestEncodings(t *testing.T) {
	const text = "a==1\r\n# ü\r\nb\r\n"
	plain := explain.ParseLines("r.txt", []byte(strings.ReplaceAll(text, "\r", "")), nil)
	require.Len(t, plain, 2)
	for name, data := range map[string][]byte{
		"CRLF":      []byte(text),
		"CR":        []byte(strings.ReplaceAll(text, "\n", "")),
		"BOM":       []byte("\xef\xbb\xbf" + text),
		"UTF-16 LE": encode16(text, binary.LittleEndian),
		"UTF-16 BE": encode16(text, binary.BigEndian),
		"UTF-32 LE": []byte("\xff\xfe\x00\x00" + strings.NewReplacer("ü", "\xfc\x00\x00\x00").Replace(spread(text))),
		"Latin-1":   []byte(strings.ReplaceAll(text, "ü", "\xfc")),
	} {
		require.Equal(t, plain, explain.ParseLines("r.txt", data, nil), name)
	}
}

// spread is UTF-32 of the ASCII characters in a text.
func spread(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteString(string(r))
		if r < 0x80 {
			b.WriteString("\x00\x00\x00")
		}
	}
	return b.String()
}

// An encoding is named as Python names it (PEP 263); one that nothing tells is said
// once, and corrected as far as it can be guessed.
func TestEncodingProblems(t *testing.T) {
	utf16 := string(encode16("a==1\n# ü\nlogging\n", binary.BigEndian)[2:])
	for name, c := range map[string]struct {
		text      string
		says      []string
		suggested string
	}{
		"latin-1":      {"# -*- coding: latin-1 -*-\na==1 ; x == '\xfc'\n", nil, "# -*- coding: utf-8 -*-\na==1 ; x == 'ü'\n"},
		"line 2":       {"#!\n# vim: set fileencoding=cp1252 :\na==1 # \x80\n", nil, "#!\n# vim: set fileencoding=utf-8 :\na==1 # €\n"},
		"line 3":       {"#\n#\n# coding: gbk\na==1\n", nil, "#\n#\n# coding: gbk\na==1\n"},
		"no comment":   {"a==1\nb==1 # encoding: gbk\n", nil, "a==1\nb==1 # encoding: gbk\n"},
		"utf-8":        {"# coding: UTF-8\na==1 # ü\n", nil, "# coding: UTF-8\na==1 # ü\n"},
		"unknown":      {"# coding: gbk\na==1\n", []string{"its encoding gbk is not known: save it as UTF-8"}, "# its encoding gbk is not known: save it as UTF-8\n# coding: utf-8\na==1\n"},
		"not told":     {"a==1 ; x == '\xfc'\n", []string{"its encoding is not UTF-8: save it as UTF-8, or name the encoding above all else: # -*- coding: latin-1 -*-"}, ""},
		"UTF-16":       {utf16, []string{"it is UTF-16 without a byte order mark, which pip cannot read: save it as UTF-8", "logging: part of Python, remove it"}, ""},
		"a wheel":      {"PK\x03\x04\x14\x00\x00\x00\x08\x00a==1\nb c\n", []string{"it is no text file: it has NUL bytes"}, "# it is no text file: it has NUL bytes\n"},
		"one NUL only": {"a==1\nb==\x002\n", []string{"it is no text file: it has NUL bytes"}, ""},
	} {
		p := read(t, map[string]string{"r.txt": c.text}, "r.txt")
		var says []string
		for _, f := range p.Findings() {
			require.NotContains(t, f.String(), "\x00", name)
			says = append(says, strings.TrimPrefix(strings.TrimPrefix(f.String(), "r.txt: line 1: "), "r.txt: line 3: "))
		}
		require.Equal(t, c.says, says, name)
		require.Equal(t, name == "a wheel" || name == "one NUL only", p.Incomplete(), name)
		suggested := explain.Diagnose(p, nil).Suggested()["r.suggested.txt"]
		require.Empty(t, read(t, map[string]string{"r.txt": string(suggested)}, "r.txt").Findings(), name)
		if c.suggested != "" {
			require.Equal(t, c.suggested, string(suggested), name)
		}
	}
}

func encode16(text string, order binary.AppendByteOrder) []byte {
	data := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"-i https://user:secret@h/simple":     "-i https://***@h/simple",
		"git+https://ghp_abc@h/x":             "git+https://***@h/x",
		"https://${USER}:${TOKEN}@h/simple":   "https://${USER}:${TOKEN}@h/simple",
		"https://u:${TOKEN}@h":                "https://***@h",
		"https://u:p@ss@h/x":                  "https://***@h/x",
		"https://h/a.whl?x=1&access_token=ab": "https://h/a.whl?x=1&access_token=***",
		"a==1 # me@example.com":               "a==1 # me@example.com",
		"a @ https://h/b@v1":                  "a @ https://h/b@v1",
	} {
		require.Equal(t, want, explain.Mask(text), text)
	}
}

func TestInStandardLibrary(t *testing.T) {
	for _, name := range []string{"logging", "platform", "decimal", "asyncio", "Queue", "ConfigParser", "concurrent.futures", "unittest.mock", "distutils"} {
		require.True(t, explain.InStandardLibrary(name), name)
	}
	for _, name := range []string{"requests", "mock", "typing-extensions", "importlib-metadata", "python-dateutil", "zope.interface", "setuptools", "attrs"} {
		require.False(t, explain.InStandardLibrary(name), name)
	}
}

// The table is the interpreter's own.
func TestStandardLibraryTable(t *testing.T) {
	python, err := exec.LookPath("python3.11")
	if err != nil {
		t.Skip("no python3.11 here to compare with")
	}
	out, err := exec.Command(python, "-c", "import sys; print('\\n'.join(sys.stdlib_module_names))").Output()
	require.NoError(t, err)
	names := strings.Fields(string(out))
	require.Greater(t, len(names), 200)
	public := slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "_") })
	for _, name := range public {
		require.True(t, explain.InStandardLibrary(name), name)
	}
	require.Equal(t, len(public), explain.StandardLibrarySize())
}

func FuzzParseLines(f *testing.F) {
	for _, seed := range []string{"a==1\n", "a[b]~=1 ; x\\\n--hash=sha256:0", "-r x\n-e .\n", "a=1=b,=>2", "\xff\xfea\x00", "git+https://u:p@h/x#egg=y", "(", "a(", "- ", "a==1\n--hash=sha256:" + digits + "\n", "--pre -i https://u:p@h '", "# coding: latin-1\na==${B}\xfc", "a\x00=\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		last := 0
		for _, l := range explain.ParseLines("r.txt", data, nil) {
			require.Greater(t, l.First, last)
			require.GreaterOrEqual(t, l.Last, l.First)
			last = l.Last
			require.NotEmpty(t, l.Text)
			require.Equal(t, l.Kind == explain.Broken, l.Problem != "", "%q", l.Text)
			if l.Kind == explain.Requirement {
				require.NotEmpty(t, l.Name)
			}
			if l.Remedy != "" {
				again := explain.ParseLines("r.txt", []byte(l.Remedy), nil)
				require.Len(t, again, 1, "%q", l.Remedy)
			}
		}
	})
}

// Whatever a file holds, its suggestion is a file without findings of the same
// sort.
func FuzzSuggested(f *testing.F) {
	for _, seed := range []string{"logging\nrequests=2\n", "a==1\r\na==2\r\n", "-r b.txt\n-e .\na 1", "a==1;\n# \\\nb", "a[x]==1\na[y]==2", "a==1 # x\n\n --hash=sha256:" + digits + "\nb\n", "--require-hashes --pre\na[x]==1 --hash=sha256:" + digits + " --pre\nb", "a\x00\n\x00b\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := read(t, map[string]string{"r.txt": string(data)}, "r.txt")
		texts := explain.Diagnose(p, nil).Suggested()
		text, ok := texts["r.suggested.txt"]
		require.True(t, ok)
		again := read(t, map[string]string{"r.txt": string(text)}, "r.txt")
		require.Empty(t, again.Findings(), "%q\n%q", data, text)
	})
}
