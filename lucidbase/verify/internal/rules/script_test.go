package rules_test

import (
	"testing"
)

func TestScript(t *testing.T) {
	sh := program("/usr/bin/sh", "s")
	testRule(t, "script", []breach{
		{name: "clean"},
		{name: "its shell is there", layers: one(sh, program("/app/run.sh", "#!/usr/bin/sh -e\n")), want: []string{"/app/run.sh"}},
		{name: "through env", layers: one(sh, program("/app/a", "#!/usr/bin/env sh\n"), program("/app/b", "#!/usr/bin/env -S A=b sh -e\n")), want: []string{"/app/a", "/app/b"}},
		{name: "not executable in a directory of programs", layers: one(sh, file("/usr/bin/tool", "#!/usr/bin/sh\n")), want: []string{"/usr/bin/tool"}},
		{name: "through a link of another name", layers: one(sh, link("/usr/bin/run", "sh"), program("/app/a", "#!/usr/bin/run\n")), want: []string{"/app/a"}},
		{name: "BusyBox", layers: one(program("/usr/bin/busybox", "b"), link("/usr/bin/sh", "busybox"), program("/app/x", "#!/usr/bin/busybox sh\n"), program("/app/y", "#!/usr/bin/sh\n")), want: []string{"/app/x", "/app/y"}},
		{name: "both deleted later", layers: [][]tarEntry{{sh, program("/app/a", "#!/usr/bin/sh\n")}, {whiteout("/app/a"), whiteout("/usr/bin/sh")}}, want: []string{"/app/a"}},

		{name: "near: its shell is not there", layers: one(program("/app/a", "#!/usr/bin/sh\n"), program("/app/b", "#!/usr/bin/env bash\n"))},
		{name: "near: its shell was deleted", layers: [][]tarEntry{{sh, program("/app/a", "#!/usr/bin/sh\n")}, {whiteout("/usr/bin/sh")}}},
		{name: "near: an example to read", layers: one(sh, file("/usr/share/doc/a.sh", "#!/usr/bin/sh\n"))},
		{name: "near: Python's script by BusyBox' env", layers: one(program("/usr/bin/busybox", "b"), link("/usr/bin/env", "busybox"), program("/app/x", "#!/usr/bin/env python3\n"))},
		{name: "near: a console script", layers: one(sh, program("/opt/venv/bin/tool", "#!/opt/venv/bin/python\n"), program("/app/x", "#!/usr/bin/env python3\n"))},
	})
}
