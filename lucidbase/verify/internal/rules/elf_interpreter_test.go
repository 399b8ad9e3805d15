package rules_test

import (
	"testing"
)

func TestELFInterpreter(t *testing.T) {
	app := executable("/usr/bin/app", elfSpec{})
	testELF(t, "elf-interpreter", map[string]elfCase{
		"gone":           {layers: one(app), want: []string{"/usr/bin/app: its loader /lib64/ld-linux-x86-64.so.2 is not in the image"}},
		"dangling":       {layers: one(app, link(glibcLoader, "../lib/ld.so")), want: []string{"/usr/bin/app: its loader /lib64/ld-linux-x86-64.so.2 is not in the image"}},
		"text":           {layers: one(app, program(glibcLoader, "#!/bin/true\n")), want: []string{"/usr/bin/app: its loader /lib64/ld-linux-x86-64.so.2 is no ELF file"}},
		"not executable": {layers: one(app, library(glibcLoader, elfSpec{})), want: []string{"/usr/bin/app: its loader /lib64/ld-linux-x86-64.so.2 is not executable"}},
		"other machine": {layers: one(app, program(glibcLoader, tinyELF(0xb7))),
			want: []string{"/usr/bin/app: its loader /lib64/ld-linux-x86-64.so.2 is for arm64, the program for amd64"}},
		"there":        {layers: one(glibcLayer(app)...)},
		"through /lib": {layers: one(app, link("/lib64", "usr/lib64"), link("/usr/lib64/ld-linux-x86-64.so.2", "../lib/ld.so"), program("/usr/lib/ld.so", string(craftELF(elfSpec{}))))},
		"static":       {layers: one(program("/usr/bin/app", tinyELF(0x3e)))},
		"library":      {layers: one(library("/usr/lib/libcap.so.2", elfSpec{Soname: "libcap.so.2", Interpreter: "/x"}))},
	})
}
