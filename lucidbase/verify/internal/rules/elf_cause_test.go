package rules_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A distribution's libraries come from one build: what is wrong with all of them is
// one finding, as is what is wrong with many files of nobody.
func TestOneCause(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	dist := func(spec elfSpec) []tarEntry {
		var files []tarEntry
		for i := range 3 {
			files = append(files, library(fmt.Sprintf("cv/m%d.so", i), spec), library(fmt.Sprintf("cv.libs/lib%d.so", i), spec))
		}
		return glibcLayer(distribution(site, "cv", "1.0", files...)...)
	}
	nobody := func(n int, spec elfSpec) []tarEntry {
		layer := glibcLayer()
		for i := range n {
			layer = append(layer, executable(fmt.Sprintf("/usr/bin/p%02d", i), spec))
		}
		return layer
	}
	testELF(t, "elf-needed", map[string]elfCase{
		"a distribution": {layers: one(dist(elfSpec{Needed: []string{"libGL.so.1", "libX11.so.6"}})...),
			want: []string{site + "/cv-1.0.dist-info: needs libraries that are not in the image: libGL.so.1, libX11.so.6 (6 files of cv-1.0, such as " + site + "/cv.libs/lib0.so)"}},
		"one file of it": {layers: one(glibcLayer(distribution(site, "cv", "1.0", library("cv/m.so", elfSpec{Needed: []string{"liba.so.1", "libb.so.1"}}))...)...),
			want: []string{site + "/cv/m.so: needs libraries that are not in the image: liba.so.1, libb.so.1"}},
		"an old auditwheel's path": {layers: one(dist(elfSpec{Runpath: "cv.libs"})...),
			want: []string{site + `/cv-1.0.dist-info: its search path has "cv.libs": libraries are loaded from the current directory (6 files of cv-1.0, such as ` + site + "/cv.libs/lib0.so)"}},
		"many of nobody": {layers: one(nobody(12, elfSpec{Needed: []string{"libz.so.1"}})...),
			want: []string{"/usr/bin: needs libraries that are not in the image: libz.so.1 (12 files, such as /usr/bin/p00)"}},
		"few of nobody": {layers: one(nobody(2, elfSpec{Needed: []string{"libz.so.1"}})...),
			want: []string{"/usr/bin/p00: needs libz.so.1, which is not in the image", "/usr/bin/p01: needs libz.so.1, which is not in the image"}},
		"two distributions": {layers: one(append(dist(elfSpec{Needed: []string{"liba.so.1"}}), distribution(site, "aa", "2", library("aa/m.so", elfSpec{Needed: []string{"liba.so.1"}}))...)...),
			want: []string{site + "/aa/m.so: needs liba.so.1, which is not in the image", site + "/cv-1.0.dist-info: needs libraries that are not in the image: liba.so.1 (6 files of cv-1.0, such as " + site + "/cv.libs/lib0.so)"}},
	})
	testELF(t, "elf-machine", map[string]elfCase{
		"a wheel for another CPU": {layers: one(dist(elfSpec{Machine: elf.EM_AARCH64})...),
			want: []string{site + "/cv-1.0.dist-info: made for arm64, the image is for amd64 (6 files of cv-1.0, such as " + site + "/cv.libs/lib0.so)"}},
	})
	testELF(t, "elf-stack", map[string]elfCase{
		"a wheel": {layers: one(dist(elfSpec{Stack: elf.PF_X})...),
			want: []string{site + "/cv-1.0.dist-info: it asks for an executable stack (6 files of cv-1.0, such as " + site + "/cv.libs/lib0.so)"}},
	})
}

// Each remedy is that of its cause.
func TestFixFits(t *testing.T) {
	for found, c := range map[string]struct {
		layer []tarEntry
		fix   string
	}{
		"libGL.so.1":   {glibcLayer(library(sitePath+"a/a.so", elfSpec{Needed: []string{"libGL.so.1"}})), "add the packages"},
		"current dir":  {glibcLayer(library(sitePath+"a/a.so", elfSpec{Runpath: "a.libs"})), "$ORIGIN"},
		"not on its s": {glibcLayer(library(sitePath+"a/a.so", elfSpec{Needed: []string{"libb.so"}}), library("/opt/x/libb.so", elfSpec{})), "ld.so.conf"},
	} {
		t.Run(found, func(t *testing.T) {
			all := elfFindings(t, "elf-needed", elfCase{layers: one(c.layer...)})
			require.Len(t, all, 1)
			require.Contains(t, all[0].Found, strings.TrimSpace(found))
			require.Contains(t, all[0].Fix, c.fix)
		})
	}
}
