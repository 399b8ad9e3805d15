package verify

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// with is an ELF file with C strings in it.
func with(s elfSpec, strings_ ...string) string {
	return string(craftELF(s)) + "\x00" + strings.Join(strings_, "\x00") + "\x00"
}

func TestPrograms(t *testing.T) {
	prog := elfSpec{interpreter: "/lib64/ld-linux-x86-64.so.2"}
	static := elfSpec{pie: true}
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
		"far behind":     {with(prog, strings.Repeat("x", 3*blockSize-400), "unalias", "getopts"), "sh"},

		"a library with builtins' names": {with(elfSpec{}, "unalias", "getopts"), ""},
		"one builtin":                    {with(prog, "getopts", "umask"), ""},
		"parts of longer words":          {with(prog, "xunalias", "getoptsy"), ""},
		"text":                           {"unalias\x00getopts\x00BusyBox v1 multi-call binary", ""},
		"a word of UPX":                  {with(prog, strings.Repeat("x", 2000), "UPX!", strings.Repeat("x", 2000)), ""},
		"another zip":                    {"PK\x03\x04..pipeline/__main__.py", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Scan(t.Context(), bytesLayer(tarOf(t, program("usr/bin/app", c.content))))
			require.NoError(t, err)
			require.Equal(t, c.want, f.Files[0].Program)
		})
	}
}

// TestSignaturesAreShort: a window's overlap must hold each word.
func TestSignaturesAreShort(t *testing.T) {
	for _, w := range signatureWords {
		require.LessOrEqual(t, len(w), 128)
		require.GreaterOrEqual(t, len(w), 5, "short words make the search slow")
	}
}
