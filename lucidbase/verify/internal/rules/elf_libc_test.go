package rules_test

import (
	"slices"
	"testing"
)

func TestELFLibc(t *testing.T) {
	gnu, msl := sitePath+"a/_a.cpython-311-x86_64-linux-gnu.so", sitePath+"a/_a.cpython-311-x86_64-linux-musl.so"
	both := slices.Concat(muslLayer(), glibcLayer())
	testELF(t, "elf-libc", map[string]elfCase{
		"musl program on glibc":   {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Interpreter: muslLoader}))...), want: []string{"/usr/bin/app: made for musl (its loader is " + muslLoader + "), the image has glibc"}},
		"glibc program on musl":   {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{}))...), want: []string{"/usr/bin/app: made for glibc (its loader is " + glibcLoader + "), the image has musl"}},
		"musl module on glibc":    {layers: one(glibcLayer(library(msl, elfSpec{Needed: []string{"libc.so"}}))...), want: []string{msl + ": made for musl (it needs libc.so), the image has glibc"}},
		"glibc module on musl":    {layers: one(muslLayer(library(gnu, elfSpec{Needed: []string{"libc.so.6"}, Versions: []string{"GLIBC_2.17"}}))...), want: []string{gnu + ": made for glibc (it needs GLIBC_2.17), the image has musl"}},
		"by its name":             {layers: one(glibcLayer(library(msl, elfSpec{Needed: []string{"libz.so.1"}}))...), want: []string{msl + ": made for musl (by its name), the image has glibc"}},
		"musl's loader is a link": {layers: one(library("/usr/lib/libc.so", elfSpec{}), link(muslLoader, "/usr/lib/libc.so"), library(gnu, elfSpec{Needed: []string{"libc.so.6"}})), want: []string{gnu + ": made for glibc (it needs libc.so.6), the image has musl"}},
		"libgcc_s has GLIBC_2.0":  {layers: one(muslLayer(library(msl, elfSpec{Needed: []string{"libgcc_s.so.1", "libc.musl-x86_64.so.1"}, Versions: []string{"GLIBC_2.0"}}))...)},
		"glibc on glibc":          {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"libc.so.6"}}), library(gnu, elfSpec{Needed: []string{"libc.so.6"}}))...)},
		"musl on musl":            {layers: one(muslLayer(library(msl, elfSpec{Needed: []string{"libc.so"}}))...)},
		"static on either":        {layers: one(muslLayer(program("/usr/bin/app", tinyELF(0x3e)))...)},
		"gcompat":                 {layers: one(append(both, executable("/usr/bin/app", elfSpec{}))...)},
		"gcompat, wrong module": {layers: one(append(both, executable("/usr/bin/python3.11", elfSpec{Interpreter: muslLoader}), library(gnu, elfSpec{Needed: []string{"libc.so.6"}}), library(msl, elfSpec{}))...),
			want: []string{gnu + ": made for glibc (it needs libc.so.6), the image's Python is made for musl"}},
		"no loader at all": {layers: one(library(gnu, elfSpec{Needed: []string{"libc.so.6"}}))},
	})
}
