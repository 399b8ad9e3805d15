package rules_test

import (
	"regexp"
	"strings"
	"testing"
)

// edited is a distribution whose RECORD is changed before it is written.
func edited(name string, change func(record string) string, files ...tarEntry) []tarEntry {
	entries := distribution(strings.TrimSuffix(sitePath, "/"), name, "1.0", files...)
	for i, e := range entries {
		if strings.HasSuffix(e.Name, "/RECORD") {
			entries[i] = file(e.Name, change(e.Body))
		}
	}
	return entries
}

// bareHash is the line of a's module.
var bareHash = regexp.MustCompile(`a/__init__\.py,[^\n]*`)

func TestRecord(t *testing.T) {
	const info = sitePath + "a-1.0.dist-info/"
	same := func(s string) string { return s }
	add := func(lines string) func(string) string { return func(s string) string { return s + lines } }
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, old, with) }
	}
	module := file("a/__init__.py", "A = 1\n")
	a := edited("a", same, module)
	debian := distribution("/usr/lib/python3/dist-packages", "a", "1.0", file("a/__init__.py", "A = 1\n"))
	testRule(t, "record", []breach{
		{name: "file changed", layers: [][]tarEntry{a, {file(sitePath+"a/__init__.py", "A = 2\n")}}, want: []string{sitePath + "a/__init__.py"}},
		{name: "file deleted", layers: [][]tarEntry{a, {whiteout(sitePath + "a/__init__.py")}}, want: []string{sitePath + "a/__init__.py"}},
		{name: "line changed", layers: one(edited("a", replace("a/__init__.py,sha256=", "a/__init__.py,sha256=x"), module)...), want: []string{sitePath + "a/__init__.py"}},
		{name: "size changed", layers: one(edited("a", replace(",6\n", ",7\n"), module)...), want: []string{sitePath + "a/__init__.py"}},
		{name: "no RECORD", layers: [][]tarEntry{a, {whiteout(info + "RECORD")}}, want: []string{info + "RECORD"}},
		{name: "no METADATA", layers: [][]tarEntry{a, {whiteout(info + "METADATA")}}, want: []string{info + "METADATA"}},
		{name: "damaged", layers: one(edited("a", add("a/b.py,sha256=x,many\n"), module)...), want: []string{info + "RECORD"}},
		{name: "metadata damaged", layers: one(edited("a", same, module)[0], file(info+"METADATA", "Version: 1\n"), file(info+"RECORD", "a-1.0.dist-info/METADATA,,\n")), want: []string{info + "METADATA"}},
		{name: "out of the root", layers: one(edited("a", add("../../../../../../../etc/passwd,,\n"), module)...), want: []string{info + "RECORD"}},
		{name: "script is gone", layers: one(edited("a", add("../../../bin/a,,\n"), module)...), want: []string{"/opt/venv/bin/a"}},
		{name: "absolute", layers: one(edited("a", add("/etc/a.conf,,\n"), module)...), want: []string{"/etc/a.conf"}},
		{name: "many are gone", layers: one(edited("a", add(strings.Join(strings.Split("bcdefghijklmn", ""), ".py,,\n")+".py,,\n"), module)...), want: []string{info + "RECORD"}},
		{name: "no hash", layers: one(edited("a", func(s string) string { return bareHash.ReplaceAllString(s, "a/__init__.py,,") }, module)...), want: []string{sitePath + "a/__init__.py"}},
		{name: "a broken hash", layers: one(edited("a", func(s string) string { return bareHash.ReplaceAllString(s, "a/__init__.py,md5=abc,6") }, module)...), want: []string{sitePath + "a/__init__.py"}},
		{name: "lists nothing", layers: one(edited("a", func(string) string { return "" }, module)...), want: []string{info + "RECORD"}},
		{name: "a directory", layers: [][]tarEntry{a, {whiteout(sitePath + "a/__init__.py"), file(sitePath+"a/__init__.py/x", "")}}, want: []string{info + "RECORD"}},
		{name: "a hook", layers: [][]tarEntry{a, {file(sitePath+"z.pth", "import os\n"), file(sitePath+"sitecustomize.py", ""), file("/usr/lib/python3.11/usercustomize.py", "")}},
			want: []string{sitePath + "sitecustomize.py", sitePath + "z.pth", "/usr/lib/python3.11/usercustomize.py"}},
		{name: "near: hooks", layers: [][]tarEntry{edited("a", same, module, file("a.pth", "import a\n")), {dir("/app/lib"), file(sitePath+"app.pth", "/app/lib\n"), file(sitePath+"_virtualenv.pth", "import _virtualenv\n"),
			file("/etc/python3.11/sitecustomize.py", ""), link("/usr/lib/python3.11/sitecustomize.py", "/etc/python3.11/sitecustomize.py")}}},
		{name: "planted module", layers: [][]tarEntry{a, {file(sitePath+"a/extra.py", "import os\n")}}, want: []string{sitePath + "a/extra.py"}},
		{name: "planted library", layers: [][]tarEntry{a, {file(sitePath+"a/sub/extra.so", "x")}}, want: []string{sitePath + "a/sub/extra.so"}},

		{name: "true", layers: one(a...)},
		{name: "bytecode is not listed", layers: [][]tarEntry{a, {file(sitePath+"a/__pycache__/__init__.cpython-311.pyc", "x")}}},
		{name: "bytecode is not there", layers: one(edited("a", add("a/__pycache__/__init__.cpython-311.pyc,,\n"), module)...)},
		{name: "script", layers: [][]tarEntry{edited("a", add("../../../bin/a,,\n"), module), {program("/opt/venv/bin/a", "#!/opt/venv/bin/python\n")}}},
		{name: "padded hash, other hash, twice", layers: one(edited("a", func(s string) string {
			return strings.Replace(s, ",6\n", "=,6\n", 1) + "a/__init__.py,sha512=abc,\na/__init__.py,,\n"
		}, module)...)},
		{name: "quoted", layers: one(edited("a", replace("a/b,c.txt", `"a/b,c.txt"`), module, file("a/b,c.txt", "x"))...)},
		{name: "planted data", layers: [][]tarEntry{a, {file(sitePath+"a/extra.json", "{}")}}},
		{name: "module of nobody", layers: [][]tarEntry{a, {file(sitePath+"b/__init__.py", ""), file(sitePath+"c.py", "")}}},
		{name: "namespace", layers: [][]tarEntry{edited("a", same, file("space/a/__init__.py", "A = 1\n")), {file(sitePath+"space/ours/__init__.py", "")}}},
		{name: "shared package", layers: [][]tarEntry{a, edited("b", same, file("a/b.py", "B = 1\n"))}},
		{name: "carried by another", layers: one(file(sitePath+"a/_vendor/x-1.0.dist-info/METADATA", "Name: x\nVersion: 1.0\n"), file(sitePath+"a/_vendor/x-1.0.dist-info/RECORD", "x.py,sha256=x,1\n"))},
		{name: "Debian's", layers: [][]tarEntry{debian, {file("/usr/lib/python3/dist-packages/a/__init__.py", "A = 2\n"), whiteout("/usr/lib/python3/dist-packages/a-1.0.dist-info/RECORD")}}},
		{name: "Fedora's", layers: one(file(info+"METADATA", "Name: a\nVersion: 1.0\n"), file(info+"INSTALLER", "rpm\n"))},
		{name: "deleted", layers: [][]tarEntry{a, {whiteout(sitePath + "a-1.0.dist-info"), file(sitePath+"a/__init__.py", "A = 2\n")}}},
	})
}
