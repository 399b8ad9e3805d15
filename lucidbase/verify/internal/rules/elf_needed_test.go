package rules_test

import (
	debugelf "debug/elf"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// elfCase is an image, what craftELF cannot say (by path), and "path: found" of
// each finding.
type elfCase struct {
	layers [][]tarEntry
	edit   map[string]func(*elf.File)
	env    []string
	arch   string
	want   []string
}

func testELF(t *testing.T, rule string, cases map[string]elfCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range elfFindings(t, rule, c) {
				got = append(got, f.Path+": "+f.Found)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func elfFindings(t *testing.T, rule string, c elfCase) []verify.Finding {
	t.Helper()
	img := imageOf(t, v1.Config{Env: c.env}, c.layers...)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	if c.arch != "" {
		config = config.DeepCopy()
		config.Architecture = c.arch
		img, err = mutate.ConfigFile(img, config)
		require.NoError(t, err)
	}
	layers, err := img.Layers()
	require.NoError(t, err)
	facts, err := verify.ScanAll(t.Context(), layers, nil)
	require.NoError(t, err)
	edited := 0
	for _, layer := range facts {
		for i, f := range layer.Files {
			if edit := c.edit[f.Path]; edit != nil {
				edit(layer.Files[i].ELF)
				edited++
			}
		}
	}
	require.Len(t, c.edit, edited)
	return verify.Check(config, facts, verify.Contract{Only: []string{rule}})
}

func asRPath(x *elf.File) { x.RPath, x.RunPath = x.RunPath, nil }

func provides(versions ...string) func(*elf.File) {
	return func(x *elf.File) { x.Provides = versions }
}

func TestELFNeeded(t *testing.T) {
	needsA := elfSpec{Needed: []string{"liba.so.1", "libc.so.6"}}
	with := func(s elfSpec, change func(*elfSpec)) elfSpec { change(&s); return s }
	runpath := func(p string) elfSpec { return with(needsA, func(s *elfSpec) { s.Runpath = p }) }
	liba := func(at string) tarEntry { return library(at, elfSpec{Soname: "liba.so.1"}) }
	gone := []string{"/usr/bin/app: needs liba.so.1, which is not in the image"}
	misplaced := []string{"/usr/bin/app: needs liba.so.1, which is at /opt/lib/liba.so.1, not on its search path"}
	conf := []tarEntry{file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"), file("/etc/ld.so.conf.d/opt.conf", "# ours\n/opt/lib\n")}
	cache := file("/etc/ld.so.cache", "glibc-ld.so.cache1.1")
	testELF(t, "elf-needed", map[string]elfCase{
		"gone":         {layers: one(glibcLayer(executable("/usr/bin/app", needsA))...), want: gone},
		"deleted":      {layers: [][]tarEntry{glibcLayer(executable("/usr/bin/app", needsA), liba(debianLib+"liba.so.1")), {whiteout(debianLib + "liba.so.1")}}, want: gone},
		"misplaced":    {layers: one(glibcLayer(executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1"))...), want: misplaced},
		"default":      {layers: one(glibcLayer(executable("/usr/bin/app", needsA), liba(debianLib+"liba.so.1"))...)},
		"link":         {layers: one(glibcLayer(executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1.2.3"), link(debianLib+"liba.so.1", "/opt/lib/liba.so.1.2.3"))...)},
		"dangling":     {layers: one(glibcLayer(executable("/usr/bin/app", needsA), link(debianLib+"liba.so.1", "liba.so.1.2"))...), want: gone},
		"runpath":      {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/x:$ORIGIN/../../opt/lib")), liba("/opt/lib/liba.so.1"))...)},
		"${ORIGIN}":    {layers: one(glibcLayer(executable("/opt/bin/app", runpath("${ORIGIN}/../$LIB")), liba("/opt/lib/x86_64-linux-gnu/liba.so.1"))...)},
		"env":          {layers: one(glibcLayer(executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1"))...), env: []string{"LD_LIBRARY_PATH=/x:/opt/lib"}},
		"env in lower": {layers: one(glibcLayer(executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1"))...), env: []string{"ld_library_path=/opt/lib"}, want: misplaced},
		"conf":         {layers: one(glibcLayer(append(conf, cache, executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1"))...)...)},
		"no cache":     {layers: one(glibcLayer(append(conf, executable("/usr/bin/app", needsA), liba("/opt/lib/liba.so.1"))...)...), want: misplaced},
		"older cache": {layers: [][]tarEntry{glibcLayer(append(conf, cache, executable("/usr/bin/app", needsA))...), {liba("/opt/lib/liba.so.1")}},
			want: misplaced},
		"other machine": {layers: one(glibcLayer(executable("/usr/bin/app", needsA), library(debianLib+"liba.so.1", elfSpec{Soname: "liba.so.1", Machine: debugelf.EM_AARCH64}))...),
			want: []string{"/usr/bin/app: needs liba.so.1, which the image has for arm64 alone"}},
		"second in line": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")), library("/opt/lib/liba.so.1", elfSpec{Soname: "liba.so.1", Needed: []string{"libb.so.2"}}),
			library("/opt/lib/libb.so.2", elfSpec{}))...), // RUNPATH is for the file's own libraries alone
			want: []string{"/opt/lib/liba.so.1: needs libb.so.2, which is at /opt/lib/libb.so.2, not on its search path (loaded for /usr/bin/app)"}},
		"inherited RPATH": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")), library("/opt/lib/liba.so.1", elfSpec{Soname: "liba.so.1", Needed: []string{"libb.so.2"}}),
			library("/opt/lib/libb.so.2", elfSpec{}))...), edit: map[string]func(*elf.File){"/usr/bin/app": asRPath}},
		"RPATH out of force": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")),
			library("/opt/lib/liba.so.1", elfSpec{Soname: "liba.so.1", Needed: []string{"libb.so.2"}, Runpath: "/x"}), library("/opt/lib/libb.so.2", elfSpec{}))...),
			edit: map[string]func(*elf.File){"/usr/bin/app": asRPath},
			want: []string{"/opt/lib/liba.so.1: needs libb.so.2, which is at /opt/lib/libb.so.2, not on its search path (loaded for /usr/bin/app)"}},
		"already loaded": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"libb.so.2", "liba.so.1"}, Runpath: "/opt/lib"}),
			library("/opt/lib/liba.so.1", elfSpec{Soname: "liba.so.1", Needed: []string{"libb.so.2"}}), library("/opt/lib/libb.so.2", elfSpec{}))...)},
		"loader, vdso, driver": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"ld-linux-x86-64.so.2", "linux-vdso.so.1", "libcuda.so.1"}}))...)},
		"absolute": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Needed: []string{"/opt/liba.so", "/opt/libb.so"}}), liba("/opt/liba.so"))...),
			want: []string{"/usr/bin/app: needs /opt/libb.so, which is not in the image"}},
		"current directory": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Runpath: "$ORIGIN/../lib:"}), executable("/usr/bin/rel", elfSpec{Runpath: "lib"}))...),
			want: []string{`/usr/bin/app: its search path has "": libraries are loaded from the current directory`, `/usr/bin/rel: its search path has "lib": libraries are loaded from the current directory`}},
		"other directories": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{Runpath: "$ORIGIN/../lib:/opt/lib"}))...)},
		"musl's own": {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{Interpreter: muslLoader, Needed: []string{"libc.musl-x86_64.so.1", "libpthread.so.0", "libz.so.1"}}))...),
			want: []string{"/usr/bin/app: needs libz.so.1, which is not in the image"}},
		"musl's path": {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{Interpreter: muslLoader, Needed: []string{"libz.so.1"}}), library("/opt/lib/libz.so.1", elfSpec{}),
			file("/etc/ld-musl-x86_64.path", "/lib\n/opt/lib\n"))...)},
		"musl's default":  {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{Interpreter: muslLoader, Needed: []string{"libz.so.1"}}), library("/usr/local/lib/libz.so.1", elfSpec{}))...)},
		"musl on its own": {layers: one(glibcLayer(library(sitePath+"a/_a.cpython-311-x86_64-linux-musl.so", elfSpec{Needed: []string{"libc.musl-x86_64.so.1"}}))...), want: []string{sitePath + "a/_a.cpython-311-x86_64-linux-musl.so: needs libc.musl-x86_64.so.1, which is not in the image"}},
	})
}

func TestELFNeededByModules(t *testing.T) {
	module := sitePath + "a/_a.cpython-311-x86_64-linux-gnu.so"
	libpython := elfSpec{Needed: []string{"libpython3.11.so.1.0"}}
	testELF(t, "elf-needed", map[string]elfCase{
		"static Python": {layers: one(glibcLayer(executable("/usr/bin/python3.11", elfSpec{}), library(module, libpython))...),
			want: []string{module + ": needs libpython3.11.so.1.0, which is not in the image"}},
		"Python has loaded it": {layers: one(glibcLayer(executable("/opt/py/bin/python3.11", elfSpec{Needed: libpython.Needed, Runpath: "$ORIGIN/../lib"}), library("/opt/py/lib/libpython3.11.so.1.0", elfSpec{}),
			library(module, libpython))...)},
		"Python's RPATH": {layers: one(glibcLayer(executable("/opt/py/bin/python3.11", elfSpec{Runpath: "/opt/py/lib"}), library("/opt/py/lib/libz.so.1", elfSpec{}),
			library(module, elfSpec{Needed: []string{"libz.so.1"}}))...), edit: map[string]func(*elf.File){"/opt/py/bin/python3.11": asRPath}},
		"bundled": {layers: one(glibcLayer(library(module, elfSpec{Needed: []string{"liba-1f.so.3"}, Runpath: "$ORIGIN/../a.libs"}), library(sitePath+"a.libs/liba-1f.so.3", elfSpec{}))...)},
		"bundle deleted": {layers: [][]tarEntry{glibcLayer(library(module, elfSpec{Needed: []string{"liba-1f.so.3"}, Runpath: "$ORIGIN/../a.libs"}), library(sitePath+"a.libs/liba-1f.so.3", elfSpec{})), {whiteout(sitePath + "a.libs")}},
			want: []string{module + ": needs liba-1f.so.3, which is not in the image"}},
		"loaded by the package's code":  {layers: one(glibcLayer(library(module, elfSpec{Needed: []string{"liba.so"}}), library(sitePath+"a/lib/liba.so", elfSpec{}))...)},
		"in another package":            {layers: one(glibcLayer(library(module, elfSpec{Needed: []string{"libb.so"}}), library(sitePath+"b/libb.so", elfSpec{}))...), want: []string{module + ": needs libb.so, which is at " + sitePath + "b/libb.so, not on its search path"}},
		"an object file needs nothing":  {layers: one(glibcLayer(library("/usr/lib/crt1.o", elfSpec{Kind: debugelf.ET_REL, Needed: []string{"libz.so.1"}}))...)},
		"of another machine: not asked": {layers: one(glibcLayer(library("/usr/lib/liba.so", elfSpec{Machine: debugelf.EM_AARCH64, Needed: []string{"libz.so.1"}}))...)},
	})
}

func TestELFFiles(t *testing.T) {
	good := string(craftELF(elfSpec{Align: 65536}))
	writable := []byte(tinyELF(0x3e))
	writable[64+4] |= byte(debugelf.PF_W)
	testELF(t, "elf-damaged", map[string]elfCase{
		"cut":                 {layers: one(program("/usr/bin/app", good[:200])), want: []string{"/usr/bin/app: ELF file: " + problemOf(t, good[:200])}},
		"cut library":         {layers: one(file("/usr/lib/liba.so.1", good[:40])), want: []string{"/usr/lib/liba.so.1: ELF file: its header is cut off"}},
		"whole":               {layers: one(program("/usr/bin/app", good))},
		"replaced":            {layers: [][]tarEntry{{program("/usr/bin/app", good[:200])}, {program("/usr/bin/app", good)}}},
		"data with its magic": {layers: one(file("/usr/share/misc/sample.bin", good[:40]))},
	})
	testELF(t, "elf-machine", map[string]elfCase{
		"arm64 library on amd64": {layers: one(library("/usr/lib/liba.so", elfSpec{Machine: debugelf.EM_AARCH64})), want: []string{"/usr/lib/liba.so: made for arm64, the image is for amd64"}},
		"amd64 program on arm64": {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0x3e))), want: []string{"/usr/bin/app: made for amd64, the image is for arm64"}},
		"unknown machine":        {layers: one(library("/usr/lib/liba.so", elfSpec{Machine: 1234})), want: []string{"/usr/lib/liba.so: made for EM_1234, the image is for amd64"}},
		"its own":                {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0xb7)))},
		"object file":            {layers: one(library("/usr/lib/a.o", elfSpec{Machine: debugelf.EM_BPF, Kind: debugelf.ET_REL}))},
		"hidden":                 {layers: [][]tarEntry{{library("/a.so", elfSpec{Machine: debugelf.EM_AARCH64})}, {library("/a.so", elfSpec{})}}},
	})
	testELF(t, "elf-align", map[string]elfCase{
		"4 KiB":          {arch: "arm64", layers: one(library("/usr/lib/liba.so", elfSpec{Machine: debugelf.EM_AARCH64})), want: []string{"/usr/lib/liba.so: a segment is aligned to 4096 bytes, a page may have 16384"}},
		"16 KiB":         {arch: "arm64", layers: one(library("/usr/lib/liba.so", elfSpec{Machine: debugelf.EM_AARCH64, Align: 16384}))},
		"64 KiB":         {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0xb7)))},
		"4 KiB on amd64": {layers: one(library("/usr/lib/liba.so", elfSpec{}))},
	})
	testELF(t, "elf-stack", map[string]elfCase{
		"executable":    {layers: one(library("/usr/lib/liba.so", elfSpec{Stack: debugelf.PF_X})), want: []string{"/usr/lib/liba.so: it asks for an executable stack"}},
		"not":           {layers: one(library("/usr/lib/liba.so", elfSpec{}))},
		"writable code": {layers: one(program("/usr/bin/app", string(writable))), want: []string{"/usr/bin/app: a segment of it is writable and executable"}},
		"object":        {layers: one(library("/usr/lib/a.o", elfSpec{Kind: debugelf.ET_REL, Stack: debugelf.PF_X}))},
	})
}

func problemOf(t *testing.T, data string) string {
	t.Helper()
	_, err := elf.Parse(strings.NewReader(data), int64(len(data)))
	require.Error(t, err)
	return err.Error()
}

// A hostile image, in which every program needs every other, ends in bounded time.
func TestELFEntangled(t *testing.T) {
	var all []string
	for i := range 400 {
		all = append(all, fmt.Sprintf("lib%d.so", i))
	}
	facts := scan.Facts{Files: []scan.File{{Path: glibcLoader, Kind: scan.Regular, ELF: &elf.File{Type: "dyn", Machine: "amd64"}}}}
	for _, name := range all {
		facts.Files = append(facts.Files, scan.File{Path: debianLib + name, Kind: scan.Regular, ELF: &elf.File{Type: "dyn", Machine: "amd64", Executable: true, Needed: all}})
	}
	facts.Files = append(facts.Files, scan.File{Path: debianLib + "libc.so.6", Kind: scan.Regular, ELF: &elf.File{Type: "dyn", Machine: "amd64"}})
	found := verify.Check(&v1.ConfigFile{Architecture: "amd64"}, []scan.Facts{facts}, verify.Contract{Only: []string{"elf-needed"}})
	require.Len(t, found, 1)
	require.Contains(t, found[0].Found, "not judged")
}
