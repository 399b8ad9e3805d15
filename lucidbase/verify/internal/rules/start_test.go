package rules_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// unstartable are files that the kernel does not start in cleanLayer, and what is said
// of them.
var unstartable = map[string]struct{ body, found string }{
	"a shell that is not there":   {"#!/bin/sh\necho\n", "it starts with /bin/sh, which is not in the image"},
	"pip's trampoline":            {"#!/bin/sh\n'''exec' /opt/long/bin/python \"$0\" \"$@\"\n' '''\nimport tiny\n", "an installer writes this first line where Python's path is long"},
	"quoted trampoline":           {"#!/bin/sh\n'''exec' \"/opt/a b/bin/python\" \"$0\" \"$@\"\n' '''\n", "an installer writes"},
	"uv's relocatable trampoline": {"#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n", "an installer writes"},
	"CRLF":                        {"#!/opt/venv/bin/python\r\nimport tiny\r\n", "its lines end as on Windows"},
	"CRLF behind an argument":     {"#!/opt/venv/bin/python -I\r\nimport tiny\r\n", "its lines end as on Windows"},
	"no env":                      {"#!/usr/bin/env python\n", "it starts with /usr/bin/env, which is not in the image"},
	"interpreter missing":         {"#!/opt/builder/bin/python3.11\n", "which is not in the image"},
	"interpreter dangling":        {"#!/opt/dangling\n", "a link that leads nowhere"},
	"interpreter in a circle":     {"#!/opt/circle\n", "a circle"},
	"interpreter not executable":  {"#!/app/main.py\n", "may not be executed"},
	"interpreter is a directory":  {"#!/opt/venv\n", "which is a directory"},
	"interpreter broken":          {"#!/opt/broken\n", "cannot be started: it is empty"},
	"relative":                    {"#!python\n", "no absolute path"},
	"too long":                    {"#!/" + strings.Repeat("long/", 60) + "python\n", "longer than the 255 bytes"},
	"nothing behind #!":           {"#!\nimport tiny\n", "neither an ELF file nor a script"},
	"no first line":               {"import tiny\n", "neither an ELF file nor a script"},
	"byte order mark":             {"\xef\xbb\xbf#!/opt/venv/bin/python\n", "byte order mark"},
	"UTF-16":                      {"\xff\xfe#\x00!\x00", "UTF-16"},
	"empty":                       {"", "it is empty"},
	"Git LFS":                     {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS"},
	"macOS":                       {"\xcf\xfa\xed\xfe\x07\x00\x00\x01", "Mach-O"},
	"Windows":                     {"MZ\x90\x00\x03", "PE"},
	"object file":                 {"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x3e\x00" + strings.Repeat("\x00", 44), "object file"},
}

// What cannot be started is found in a virtual environment, elsewhere in PATH, and as
// the container's program.
func TestStartNot(t *testing.T) {
	for name, c := range unstartable {
		t.Run(name, func(t *testing.T) {
			inVenv, inPath := "/opt/venv/bin/tiny", "/usr/bin/tiny"
			layer := []tarEntry{
				program(inVenv, c.body), program(inPath, c.body),
				link("/opt/dangling", "/opt/gone"), program("/opt/circle", "#!/opt/circle\n"), program("/opt/broken", ""),
			}
			config := cleanConfig()
			config.Cmd = []string{"tiny"}
			img := imageOf(t, config, cleanLayer(), layer)
			for rule, at := range map[string]string{"venv": inVenv, "start": inPath, "command": "config:Cmd"} {
				got := brokenBy(t, rule, img)
				require.Len(t, got, 1, rule)
				require.True(t, strings.HasPrefix(got[0], at+": "), got[0])
				require.Contains(t, got[0], c.found)
			}
			require.Empty(t, brokenBy(t, "elf-damaged", img))
		})
	}
}

func TestStart(t *testing.T) {
	env := program("/usr/bin/env", tinyELF(0x3e))
	sh := program("/bin/sh", tinyELF(0x3e))
	script := func(body string) tarEntry { return program("/usr/bin/x", body) }
	for name, c := range map[string]struct {
		layer []tarEntry
		want  string
	}{
		"env without the program":      {[]tarEntry{env, script("#!/usr/bin/env perl\n")}, "no directory of PATH has perl"},
		"env, one argument":            {[]tarEntry{env, script("#!/usr/bin/env python -I\n")}, `"python -I" is the name of one program`},
		"env -S":                       {[]tarEntry{env, script("#!/usr/bin/env -S A=b -u B ruby -w\n")}, "no directory of PATH has ruby"},
		"env -S, joined":               {[]tarEntry{env, script("#!/usr/bin/env -Sruby -w\n")}, "no directory of PATH has ruby"},
		"env --split-string":           {[]tarEntry{env, script("#!/usr/bin/env --split-string=ruby -w\n")}, "no directory of PATH has ruby"},
		"env alone":                    {[]tarEntry{env, script("#!/usr/bin/env\n")}, "not told what to start"},
		"trampoline of another path":   {[]tarEntry{sh, script("#!/bin/sh\n'''exec' /opt/gone/python \"$0\" \"$@\"\n' '''\n")}, "/opt/gone/python"},
		"a link to what is elsewhere":  {[]tarEntry{link("/usr/bin/x", "/app/x"), program("/app/x", "#!/opt/gone\n")}, "/app/x: it starts with /opt/gone"},
		"more than ten":                {manyScripts(12), "12 programs cannot be started"},
		"near: env":                    {[]tarEntry{env, script("#!/usr/bin/env python\n"), program("/usr/bin/y", "#! /usr/bin/env\t-S python -I\n")}, ""},
		"near: trampoline":             {[]tarEntry{sh, script("#!/bin/sh\n'''exec' /opt/venv/bin/python \"$0\" \"$@\"\n' '''\n")}, ""},
		"near: at the limit":           {[]tarEntry{script("#!/opt/venv/bin/python " + strings.Repeat("a", 230) + "\n")}, ""},
		"near: no newline":             {[]tarEntry{script("#!/opt/venv/bin/python")}, ""},
		"near: a script's interpreter": {[]tarEntry{script("#!/usr/bin/y\n"), program("/usr/bin/y", "#!/opt/venv/bin/python\n")}, ""},
		"near: not in PATH":            {[]tarEntry{program("/srv/x", "#!/opt/gone\n")}, ""},
		"near: data, executable":       {[]tarEntry{program("/usr/bin/README.md", "hello\n"), program("/usr/bin/.keep", ""), program("/usr/bin/mod.py", "import x\n"), file("/usr/bin/notes", "x")}, ""},
		"near: for a shell to read":    {[]tarEntry{program("/usr/bin/activate", "# source me\n"), program("/usr/bin/aws_bash_completer", "complete x\n"), program("/usr/bin/aws.cmd", "@echo off\r\n")}, ""},
		"near: another rule's":         {[]tarEntry{program("/usr/bin/x", tinyELF(0xb7)), link("/usr/bin/y", "gone")}, ""},
		"near: deleted":                {[]tarEntry{whiteout("/usr/bin/z")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			lower := append(cleanLayer(), program("/usr/bin/z", "#!/opt/venv/bin/python\n"))
			got := brokenBy(t, "start", imageOf(t, cleanConfig(), lower, c.layer))
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}

func manyScripts(n int) (scripts []tarEntry) {
	for i := range n {
		scripts = append(scripts, program("/usr/bin/x"+string(rune('a'+i)), "#!/opt/gone/python\n"))
	}
	return scripts
}

// Scripts of an environment whose interpreter is gone are that one fault.
func TestStartOnce(t *testing.T) {
	img := imageOf(t, v1.Config{}, cleanLayer(), []tarEntry{
		whiteout("/opt/venv/bin/python"), whiteout("/opt/venv/bin/python3"), program("/opt/venv/bin/a", "#!/opt/venv/bin/python\n"), program("/opt/venv/bin/b", "#!/opt/venv/bin/python3\n"),
	})
	require.Len(t, brokenBy(t, "venv", img), 1)
}
