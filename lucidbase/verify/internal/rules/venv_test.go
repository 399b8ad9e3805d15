package rules_test

import (
	"testing"
)

func TestVenv(t *testing.T) {
	const cfg = "/opt/venv/pyvenv.cfg"
	config := func(text string) [][]tarEntry { return one(file(cfg, text)) }
	script := func(path, shebang string) [][]tarEntry { return one(program(path, shebang+"\nimport tiny\n")) }
	other := func(minor string) []tarEntry {
		return []tarEntry{program("/opt/py/bin/python"+minor, tinyELF(0x3e)), link("/opt/py/bin/python3", "python"+minor)}
	}
	testRule(t, "venv", []breach{
		{name: "home is not there", layers: config("home = /opt/builder/bin\nversion = 3.11.2\n"), want: []string{cfg}},
		{name: "home has no Python", layers: config("home = /etc\nversion = 3.11.2\n"), want: []string{cfg}},
		{name: "home of another version", layers: append(config("home = /opt/py/bin\nversion = 3.11.2\n"), other("3.12")), want: []string{cfg}},
		{name: "no home", layers: config("version = 3.11.2\n"), want: []string{cfg}},
		{name: "empty", layers: config(""), want: []string{cfg}},
		{name: "version", layers: config("home = /usr/bin\nversion = 3.12.1\n"), want: []string{cfg}},
		{name: "version_info", layers: config("home = /usr/bin\nversion_info = 3.9.2.final.0\n"), want: []string{cfg}},
		{name: "interpreter deleted", layers: one(whiteout("/opt/venv/bin/python"), whiteout("/opt/venv/bin/python3")), want: []string{cfg}},
		{name: "interpreter dangling", layers: one(link("/opt/venv/bin/python", "/usr/local/bin/python3.11")), want: []string{cfg}},
		{name: "interpreter of another version", layers: append(one(link("/opt/venv/bin/python", "/opt/py/bin/python3")), other("3.12")), want: []string{cfg}},
		{name: "interpreter not executable", layers: one(file("/usr/bin/python3.11", tinyELF(0x3e))), want: []string{cfg, cfg}},
		{name: "no site-packages", layers: one(whiteout("/opt/venv/lib/python3.11/site-packages")), want: []string{cfg}},
		{name: "no lib", layers: one(whiteout("/opt/venv/lib")), want: []string{cfg}},
		{name: "script", layers: script("/opt/venv/bin/tiny", "#!/opt/builder/bin/python"), want: []string{"/opt/venv/bin/tiny"}},
		{name: "script, with arguments", layers: script("/opt/venv/bin/tiny", "#! /opt/builder/bin/python3.11 -I"), want: []string{"/opt/venv/bin/tiny"}},
		{name: "second environment", layers: one(file("/srv/env/pyvenv.cfg", "home = /usr/bin\n")), want: []string{"/srv/env/pyvenv.cfg", "/srv/env/pyvenv.cfg"}},

		{name: "uv's", layers: config("home = /usr/bin\nimplementation = CPython\nuv = 0.13.9\nversion_info = 3.11.2\ninclude-system-site-packages = false\n")},
		{name: "without spaces, keys in capitals", layers: config("HOME=/usr/bin\nVersion=3.11.2")},
		{name: "home is a link", layers: append(config("home = /opt/bin\n"), []tarEntry{link("/opt/bin", "/usr/bin")})},
		{name: "home has no version in its names", layers: append(config("home = /opt/py\n"), []tarEntry{program("/opt/py/python3", tinyELF(0x3e))})},
		{name: "script that fits", layers: script("/opt/venv/bin/tiny", "#!/opt/venv/bin/python")},
		{name: "activate", layers: one(file("/opt/venv/bin/activate", "# This file must be used with \"source bin/activate\"\n"))},
		{name: "script elsewhere", layers: script("/opt/tools/tiny", "#!/opt/builder/bin/python")},
		{name: "copied interpreter", layers: one(program("/opt/venv/bin/python", tinyELF(0x3e)))},
		{name: "deleted environment", layers: append(config("home = /opt/builder/bin\n"), []tarEntry{whiteout("/opt/venv")})},
	})
}
