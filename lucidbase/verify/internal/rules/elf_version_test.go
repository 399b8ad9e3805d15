package rules_test

import (
	"testing"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
)

func TestELFVersion(t *testing.T) {
	libc := map[string]func(*elf.File){debianLib + "libc.so.6": provides("GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE")}
	app := func(versions ...string) [][]tarEntry {
		return one(glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"libc.so.6"}, Versions: versions}))...)
	}
	testELF(t, "elf-version", map[string]elfCase{
		"newer":       {layers: app("GLIBC_2.2.5", "GLIBC_2.38"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_2.38 of /usr/lib/x86_64-linux-gnu/libc.so.6, which has versions up to GLIBC_2.36"}},
		"RELR":        {layers: app("GLIBC_ABI_DT_RELR"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_ABI_DT_RELR of /usr/lib/x86_64-linux-gnu/libc.so.6, which does not have it"}},
		"fits":        {layers: app("GLIBC_2.36", "GLIBC_2.9"), edit: libc},
		"private":     {layers: app("GLIBC_PRIVATE_X"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_PRIVATE_X of /usr/lib/x86_64-linux-gnu/libc.so.6, which does not have it"}},
		"glibc's":     {layers: app("GLIBC_PRIVATE"), edit: libc},
		"weak":        {layers: app("?GLIBC_2.38", "GLIBC_2.9"), edit: libc},
		"unversioned": {layers: app("GLIBC_2.38")},
		"module": {layers: one(glibcLayer(executable("/usr/bin/python3.11", elfSpec{Needed: []string{"libc.so.6"}}), library(sitePath+"a/_a.abi3.so", elfSpec{Needed: []string{"libc.so.6"}, Versions: []string{"GLIBC_2.39"}}))...),
			edit: libc, want: []string{sitePath + "a/_a.abi3.so: needs GLIBC_2.39 of /usr/lib/x86_64-linux-gnu/libc.so.6, which has versions up to GLIBC_2.36"}},
	})
}
