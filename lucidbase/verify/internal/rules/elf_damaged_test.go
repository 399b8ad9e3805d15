package rules_test

import (
	"debug/elf"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// What an import would load is a library, whatever it is instead.
func TestELFDamagedExtension(t *testing.T) {
	lfs := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("0", 64) + "\nsize 4096\n"
	object := strings.Replace(tinyELF(0x3e), "\x02\x00\x3e\x00", "\x01\x00\x3e\x00", 1)
	core := strings.Replace(tinyELF(0x3e), "\x02\x00\x3e\x00", "\x04\x00\x3e\x00", 1)
	for name, c := range map[string]struct{ body, found, fix string }{
		"empty":            {"", "it is empty", "copy the file again"},
		"Git LFS":          {lfs, "Git LFS", "git lfs pull"},
		"macOS":            {"\xcf\xfa\xed\xfe\x0c\x00\x00\x01", "macOS", "for Linux"},
		"macOS, universal": {"\xca\xfe\xba\xbe\x00\x00\x00\x02", "macOS", "for Linux"},
		"Windows":          {"MZ\x90\x00", "Windows", "for Linux"},
		"static library":   {"!<arch>\n", "static library", "-shared"},
		"an HTML page":     {"<!DOCTYPE html>", "HTML", "fetch or build"},
		"text":             {"not found\n", "no ELF file", "fetch or build"},
		"a program":        {tinyELF(0x3e), "it is a program", "-shared"},
		"position-independent program": {
			string(craftELF(elfSpec{Interpreter: glibcLoader, Pie: true})), "it is a program", "-shared"},
		"object file": {object, "object file", "-shared"},
		"core dump":   {core, "core dump", "-shared"},
		"cut off":     {string(craftELF(elfSpec{}))[:40], "cut off", "copy the file again"},
	} {
		for _, base := range []string{"_x.cpython-311-x86_64-linux-gnu.so", "_x.cpython-311-aarch64-linux-musl.so", "_x.abi3.so", "_x.so"} {
			t.Run(name+" "+base, func(t *testing.T) {
				at := sitePath + "a/" + base
				got := findings(t, imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file(at, c.body)}), verify.Contract{Only: []string{"elf-damaged"}})
				require.Len(t, got, 1)
				require.Equal(t, at, got[0].Path)
				require.Contains(t, got[0].Found, c.found)
				require.Contains(t, got[0].Fix, c.fix)
			})
		}
	}
}

func TestELFDamagedPlaces(t *testing.T) {
	good := string(craftELF(elfSpec{}))
	config := v1.Config{WorkingDir: "/app", Env: []string{"PYTHONPATH=/srv/lib"}}
	for name, c := range map[string]struct {
		layer []tarEntry
		want  []string
	}{
		"working directory":   {[]tarEntry{file("/app/pkg/_x.so", "")}, []string{"/app/pkg/_x.so"}},
		"PYTHONPATH":          {[]tarEntry{file("/srv/lib/_x.so", "")}, []string{"/srv/lib/_x.so"}},
		"standard library":    {[]tarEntry{file("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "")}, []string{"/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so"}},
		"anywhere, by tag":    {[]tarEntry{file("/srv/other/_x.abi3.so", "x")}, []string{"/srv/other/_x.abi3.so"}},
		"a library":           {[]tarEntry{file("/usr/lib/libz.so.1", ""), file(sitePath+"a.libs/libq-1f.so.3.2", "version https://git-lfs.github.com/spec/v1\n")}, []string{sitePath + "a.libs/libq-1f.so.3.2", "/usr/lib/libz.so.1"}},
		"a link to something": {[]tarEntry{link(sitePath+"a/_x.abi3.so", "data.bin"), file(sitePath+"a/data.bin", "x")}, []string{sitePath + "a/_x.abi3.so"}},

		"near: good":               {[]tarEntry{file(sitePath+"a/_x.cpython-311-x86_64-linux-gnu.so", good), link(sitePath+"a/_y.abi3.so", "_x.cpython-311-x86_64-linux-gnu.so")}, nil},
		"near: a linker's script":  {[]tarEntry{file("/usr/lib/x86_64-linux-gnu/libc.so", "/* GNU ld script */\nGROUP ( libc.so.6 )\n"), file(sitePath+"a/libm.so", "INPUT(libm.so.6)\n")}, nil},
		"near: test data":          {[]tarEntry{file(sitePath+"a/tests/data/fake.so", ""), file(sitePath+"a/tests/data/libz.so.1", "")}, nil},
		"near: not imported":       {[]tarEntry{file("/srv/other/man1/x.so", "text"), file("/usr/share/doc/x/_x.abi3.so", "")}, nil},
		"near: another's module":   {[]tarEntry{file(sitePath+"a/_x.cpython-311-darwin.so", "\xcf\xfa\xed\xfe"), file(sitePath+"a/_x.cp311-win_amd64.pyd", "MZ")}, nil},
		"near: debug information":  {[]tarEntry{file("/usr/lib/debug/usr/lib/python3.11/_x.cpython-311-x86_64-linux-gnu.so", "")}, nil},
		"near: the host's driver":  {[]tarEntry{file("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "")}, nil},
		"near: not a library":      {[]tarEntry{file(sitePath+"a/so.json", ""), file(sitePath+"a/notes.so.txt", ""), dir(sitePath + "a/dir.so")}, nil},
		"near: a runnable library": {[]tarEntry{file("/usr/lib/libc.so.6", string(craftELF(elfSpec{Soname: "libc.so.6", Interpreter: glibcLoader})))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var paths []string
			for _, f := range findings(t, imageOf(t, config, c.layer), verify.Contract{Only: []string{"elf-damaged"}}) {
				paths = append(paths, f.Path)
			}
			require.Equal(t, c.want, paths)
		})
	}
}

// A library that is none is one finding, not one more for each file that needs it.
func TestELFDamagedOnce(t *testing.T) {
	layer := glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"libz.so.1"}}), file(debianLib+"libz.so.1", ""))
	got := findings(t, imageOf(t, v1.Config{}, layer), verify.Contract{Only: []string{"elf-damaged", "elf-needed"}})
	require.Len(t, got, 1)
	require.Equal(t, "elf-damaged", got[0].Rule)
	var many []tarEntry
	for _, name := range []string{"a", "b", "c"} {
		many = append(many, library("p/"+name+".so", elfSpec{Kind: elf.ET_REL}))
	}
	got = findings(t, imageOf(t, v1.Config{}, distribution(strings.TrimSuffix(sitePath, "/"), "p", "1", many...)), verify.Contract{Only: []string{"elf-damaged"}})
	require.Len(t, got, 1)
	require.Contains(t, got[0].Found, "3 files of p-1")
}
