package programs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

func TestPrograms(t *testing.T) {
	prog := elfSpec{Interpreter: "/lib64/ld-linux-x86-64.so.2"}
	static := elfSpec{Pie: true}
	pip := "PK\x03\x04..pip/__main__.py..pip/_internal/__init__.py"
	for name, c := range map[string]struct{ content, want string }{
		"dash":           {with(prog, "unalias", "getopts", "umask"), "sh"},
		"static dash":    {with(static, "getopts", "unalias"), "sh"},
		"bash":           {with(prog, "BASH_VERSINFO", "unalias", "getopts"), "bash"},
		"zsh":            {with(prog, "ZSH_EVAL_CONTEXT", "unalias", "getopts"), "zsh"},
		"csh":            {with(prog, "hashstat", "unalias"), "csh"},
		"tcsh":           {with(prog, "hashstat", "unalias", "bindkey"), "tcsh"},
		"busybox":        {with(prog, "BusyBox v1.35.0 (Debian)", "%s multi-call binary.\n"), "busybox"},
		"libbusybox":     {with(elfSpec{}, "BusyBox v1.35.0 (Debian)", "%s multi-call binary.\n"), "busybox"},
		"dpkg":           {with(prog, "Debian '%s' package management program version %s.\n"), "dpkg"},
		"as":             {with(prog, "GNU assembler %s\n"), "as"},
		"make":           {with(prog, "GNUmakefile", "unalias", "getopts"), "make"},
		"upx":            {string(craftELF(prog)[:280]) + "UPX!" + strings.Repeat("x", 5000), "upx"},
		"upx at the end": {string(craftELF(prog)) + strings.Repeat("x", 5000) + "UPX!" + strings.Repeat("y", 32), "upx"},
		"pip":            {pip, "pip"},
		"pip as zipapp":  {"#!/usr/bin/env python3\n" + pip, "pip"},
		"far behind":     {with(prog, strings.Repeat("x", 3*scan.BlockSize-400), "unalias", "getopts"), "sh"},

		"a library with builtins' names": {with(elfSpec{}, "unalias", "getopts"), ""},
		"one builtin":                    {with(prog, "getopts", "umask"), ""},
		"parts of longer words":          {with(prog, "xunalias", "getoptsy"), ""},
		"text":                           {"unalias\x00getopts\x00BusyBox v1 multi-call binary", ""},
		"a word of UPX":                  {with(prog, strings.Repeat("x", 2000), "UPX!", strings.Repeat("x", 2000)), ""},
		"another zip":                    {"PK\x03\x04..pipeline/__main__.py", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := scan.Layer(t.Context(), bytesLayer(tarOf(t, program("usr/bin/app", c.content))))
			require.NoError(t, err)
			require.Equal(t, c.want, f.Files[0].Program)
		})
	}
}
