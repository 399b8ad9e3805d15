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

	"github.com/lucid-project/base-images/lucidbase/lock/explain"
)

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
		"a==1 --hash=sha256:00":          {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1"},
		"a==1 # why":                     {Kind: explain.Requirement, Written: "a", Name: "a", Spec: "==1", Comment: "# why"},
		"-r base.txt":                    {Kind: explain.Include, Path: "base.txt"},
		"-rbase.txt":                     {Kind: explain.Include, Path: "base.txt"},
		"--requirement=base.txt":         {Kind: explain.Include, Path: "base.txt"},
		"-c limits.txt":                  {Kind: explain.Include, Path: "limits.txt", Constraint: true},
		"-c":                             {Problem: "-c without a file"},
		"-i https://h/simple":            {Kind: explain.Index},
		"--extra-index-url=https://h":    {Kind: explain.Index},
		"--pre":                          {Kind: explain.Other},
		"--no-binary=:all:":              {Kind: explain.Other},
		"--frobnicate":                   {Problem: "--frobnicate is no option of a requirements file"},
		"-e .":                           {Kind: explain.Local},
		"-e git+https://h/x#egg=My_X":    {Kind: explain.Direct, Written: "My_X", Name: "my-x"},
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
		"a==${VERSION}":                  {Written: "a", Name: "a", Problem: "the variable ${VERSION}: a lock may not depend on who makes it", Remedy: "a"},
		"a==1;":                          {Written: "a", Name: "a", Problem: "nothing after the semicolon", Remedy: "a==1"},
		"a[b==1":                         {Written: "a", Name: "a", Problem: "its extras are not [NAME,NAME]"},
		"pip install a":                  {Written: "pip", Name: "pip", Problem: `"install a" is no version`},
		"==1":                            {Problem: "not a project's name"},
	} {
		lines := explain.ParseLines("r.txt", []byte(text))
		require.Len(t, lines, 1, text)
		want.File, want.First, want.Last = "r.txt", 1, 1
		want.Text = strings.TrimSpace(strings.TrimSuffix(text, want.Comment))
		require.Equal(t, want, lines[0], text)
	}
}

func TestParseLinesNumbers(t *testing.T) {
	lines := explain.ParseLines("r.txt", []byte("# one\n\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb\n# not \\\nc"))
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d-%d %s", l.First, l.Last, l.Name))
	}
	require.Equal(t, []string{"3-5 a", "6-6 b", "8-8 c"}, got)
}

// What editors and shells of other systems write is the same file.
func TestEncodings(t *testing.T) {
	const text = "a==1\r\n# ü\r\nb\r\n"
	plain := explain.ParseLines("r.txt", []byte(strings.ReplaceAll(text, "\r", "")))
	require.Len(t, plain, 2)
	for name, data := range map[string][]byte{
		"CRLF":      []byte(text),
		"CR":        []byte(strings.ReplaceAll(text, "\n", "")),
		"BOM":       []byte("\xef\xbb\xbf" + text),
		"UTF-16 LE": encode16(text, binary.LittleEndian),
		"UTF-16 BE": encode16(text, binary.BigEndian),
		"Latin-1":   []byte(strings.ReplaceAll(text, "ü", "\xfc")),
	} {
		require.Equal(t, plain, explain.ParseLines("r.txt", data), name)
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
	for _, seed := range []string{"a==1\n", "a[b]~=1 ; x\\\n--hash=sha256:0", "-r x\n-e .\n", "a=1=b,=>2", "\xff\xfea\x00", "git+https://u:p@h/x#egg=y", "(", "a(", "- "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		last := 0
		for _, l := range explain.ParseLines("r.txt", data) {
			require.Greater(t, l.First, last)
			require.GreaterOrEqual(t, l.Last, l.First)
			last = l.Last
			require.NotEmpty(t, l.Text)
			require.Equal(t, l.Kind == explain.Broken, l.Problem != "", "%q", l.Text)
			if l.Kind == explain.Requirement {
				require.NotEmpty(t, l.Name)
			}
			if l.Remedy != "" {
				again := explain.ParseLines("r.txt", []byte(l.Remedy))
				require.Len(t, again, 1, "%q", l.Remedy)
			}
		}
	})
}

// Whatever a file holds, its suggestion is a file without findings of the same
// sort.
func FuzzSuggested(f *testing.F) {
	for _, seed := range []string{"logging\nrequests=2\n", "a==1\r\na==2\r\n", "-r b.txt\n-e .\na 1", "a==1;\n# \\\nb", "a[x]==1\na[y]==2"} {
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
