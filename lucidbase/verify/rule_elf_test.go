package verify

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

const (
	glibcLoader = "/lib64/ld-linux-x86-64.so.2"
	muslLoader  = "/lib/ld-musl-x86_64.so.1"
	debianLib   = "/usr/lib/x86_64-linux-gnu/"
	sitePath    = "/opt/venv/lib/python3.11/site-packages/"
)

// library and executable are crafted ELF files at a path.
func library(path string, s elfSpec) tarEntry { return file(path, string(craftELF(s))) }

func executable(path string, s elfSpec) tarEntry {
	if s.interpreter == "" {
		s.interpreter = glibcLoader
	}
	return program(path, string(craftELF(s)))
}

// glibcLayer has the parts of a glibc as Debian places them.
func glibcLayer(more ...tarEntry) []tarEntry {
	return append([]tarEntry{
		program(glibcLoader, string(craftELF(elfSpec{soname: "ld-linux-x86-64.so.2"}))),
		library(debianLib+"libc.so.6", elfSpec{soname: "libc.so.6"}),
	}, more...)
}

func muslLayer(more ...tarEntry) []tarEntry {
	return append([]tarEntry{program(muslLoader, string(craftELF(elfSpec{soname: "libc.musl-x86_64.so.1"})))}, more...)
}

// elfCase is an image, what craftELF cannot say (by path), and "path: found" of
// each finding.
type elfCase struct {
	layers [][]tarEntry
	edit   map[string]func(*ELF)
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

func elfFindings(t *testing.T, rule string, c elfCase) []Finding {
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
	facts, err := ScanAll(t.Context(), layers, nil)
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
	return Check(config, facts, Contract{Only: []string{rule}})
}

func asRPath(x *ELF) { x.RPath, x.RunPath = x.RunPath, nil }

func provides(versions ...string) func(*ELF) {
	return func(x *ELF) { x.Provides = versions }
}

func TestELFNeeded(t *testing.T) {
	needsA := elfSpec{needed: []string{"liba.so.1", "libc.so.6"}}
	with := func(s elfSpec, change func(*elfSpec)) elfSpec { change(&s); return s }
	runpath := func(p string) elfSpec { return with(needsA, func(s *elfSpec) { s.runpath = p }) }
	liba := func(at string) tarEntry { return library(at, elfSpec{soname: "liba.so.1"}) }
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
		"other machine": {layers: one(glibcLayer(executable("/usr/bin/app", needsA), library(debianLib+"liba.so.1", elfSpec{soname: "liba.so.1", machine: elf.EM_AARCH64}))...),
			want: []string{"/usr/bin/app: needs liba.so.1, which the image has for arm64 alone"}},
		"second in line": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")), library("/opt/lib/liba.so.1", elfSpec{soname: "liba.so.1", needed: []string{"libb.so.2"}}),
			library("/opt/lib/libb.so.2", elfSpec{}))...), // RUNPATH is for the file's own libraries alone
			want: []string{"/opt/lib/liba.so.1: needs libb.so.2, which is at /opt/lib/libb.so.2, not on its search path (loaded for /usr/bin/app)"}},
		"inherited RPATH": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")), library("/opt/lib/liba.so.1", elfSpec{soname: "liba.so.1", needed: []string{"libb.so.2"}}),
			library("/opt/lib/libb.so.2", elfSpec{}))...), edit: map[string]func(*ELF){"/usr/bin/app": asRPath}},
		"RPATH out of force": {layers: one(glibcLayer(executable("/usr/bin/app", runpath("/opt/lib")),
			library("/opt/lib/liba.so.1", elfSpec{soname: "liba.so.1", needed: []string{"libb.so.2"}, runpath: "/x"}), library("/opt/lib/libb.so.2", elfSpec{}))...),
			edit: map[string]func(*ELF){"/usr/bin/app": asRPath},
			want: []string{"/opt/lib/liba.so.1: needs libb.so.2, which is at /opt/lib/libb.so.2, not on its search path (loaded for /usr/bin/app)"}},
		"already loaded": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{needed: []string{"libb.so.2", "liba.so.1"}, runpath: "/opt/lib"}),
			library("/opt/lib/liba.so.1", elfSpec{soname: "liba.so.1", needed: []string{"libb.so.2"}}), library("/opt/lib/libb.so.2", elfSpec{}))...)},
		"loader, vdso, driver": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{needed: []string{"ld-linux-x86-64.so.2", "linux-vdso.so.1", "libcuda.so.1"}}))...)},
		"absolute": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{needed: []string{"/opt/liba.so", "/opt/libb.so"}}), liba("/opt/liba.so"))...),
			want: []string{"/usr/bin/app: needs /opt/libb.so, which is not in the image"}},
		"current directory": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{runpath: "$ORIGIN/../lib:"}), executable("/usr/bin/rel", elfSpec{runpath: "lib"}))...),
			want: []string{`/usr/bin/app: its search path has "": libraries are loaded from the current directory`, `/usr/bin/rel: its search path has "lib": libraries are loaded from the current directory`}},
		"other directories": {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{runpath: "$ORIGIN/../lib:/opt/lib"}))...)},
		"musl's own": {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{interpreter: muslLoader, needed: []string{"libc.musl-x86_64.so.1", "libpthread.so.0", "libz.so.1"}}))...),
			want: []string{"/usr/bin/app: needs libz.so.1, which is not in the image"}},
		"musl's path": {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{interpreter: muslLoader, needed: []string{"libz.so.1"}}), library("/opt/lib/libz.so.1", elfSpec{}),
			file("/etc/ld-musl-x86_64.path", "/lib\n/opt/lib\n"))...)},
		"musl's default":  {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{interpreter: muslLoader, needed: []string{"libz.so.1"}}), library("/usr/local/lib/libz.so.1", elfSpec{}))...)},
		"musl on its own": {layers: one(glibcLayer(library(sitePath+"a/_a.cpython-311-x86_64-linux-musl.so", elfSpec{needed: []string{"libc.musl-x86_64.so.1"}}))...), want: []string{sitePath + "a/_a.cpython-311-x86_64-linux-musl.so: needs libc.musl-x86_64.so.1, which is not in the image"}},
	})
}

func TestELFNeededByModules(t *testing.T) {
	module := sitePath + "a/_a.cpython-311-x86_64-linux-gnu.so"
	libpython := elfSpec{needed: []string{"libpython3.11.so.1.0"}}
	testELF(t, "elf-needed", map[string]elfCase{
		"static Python": {layers: one(glibcLayer(executable("/usr/bin/python3.11", elfSpec{}), library(module, libpython))...),
			want: []string{module + ": needs libpython3.11.so.1.0, which is not in the image"}},
		"Python has loaded it": {layers: one(glibcLayer(executable("/opt/py/bin/python3.11", elfSpec{needed: libpython.needed, runpath: "$ORIGIN/../lib"}), library("/opt/py/lib/libpython3.11.so.1.0", elfSpec{}),
			library(module, libpython))...)},
		"Python's RPATH": {layers: one(glibcLayer(executable("/opt/py/bin/python3.11", elfSpec{runpath: "/opt/py/lib"}), library("/opt/py/lib/libz.so.1", elfSpec{}),
			library(module, elfSpec{needed: []string{"libz.so.1"}}))...), edit: map[string]func(*ELF){"/opt/py/bin/python3.11": asRPath}},
		"bundled": {layers: one(glibcLayer(library(module, elfSpec{needed: []string{"liba-1f.so.3"}, runpath: "$ORIGIN/../a.libs"}), library(sitePath+"a.libs/liba-1f.so.3", elfSpec{}))...)},
		"bundle deleted": {layers: [][]tarEntry{glibcLayer(library(module, elfSpec{needed: []string{"liba-1f.so.3"}, runpath: "$ORIGIN/../a.libs"}), library(sitePath+"a.libs/liba-1f.so.3", elfSpec{})), {whiteout(sitePath + "a.libs")}},
			want: []string{module + ": needs liba-1f.so.3, which is not in the image"}},
		"loaded by the package's code":  {layers: one(glibcLayer(library(module, elfSpec{needed: []string{"liba.so"}}), library(sitePath+"a/lib/liba.so", elfSpec{}))...)},
		"in another package":            {layers: one(glibcLayer(library(module, elfSpec{needed: []string{"libb.so"}}), library(sitePath+"b/libb.so", elfSpec{}))...), want: []string{module + ": needs libb.so, which is at " + sitePath + "b/libb.so, not on its search path"}},
		"an object file needs nothing":  {layers: one(glibcLayer(library("/usr/lib/crt1.o", elfSpec{kind: elf.ET_REL, needed: []string{"libz.so.1"}}))...)},
		"of another machine: not asked": {layers: one(glibcLayer(library("/usr/lib/liba.so", elfSpec{machine: elf.EM_AARCH64, needed: []string{"libz.so.1"}}))...)},
	})
}

func TestELFVersion(t *testing.T) {
	libc := map[string]func(*ELF){debianLib + "libc.so.6": provides("GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.36", "GLIBC_PRIVATE")}
	app := func(versions ...string) [][]tarEntry {
		return one(glibcLayer(executable("/usr/bin/app", elfSpec{needed: []string{"libc.so.6"}, versions: versions}))...)
	}
	testELF(t, "elf-version", map[string]elfCase{
		"newer":       {layers: app("GLIBC_2.2.5", "GLIBC_2.38"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_2.38 of /usr/lib/x86_64-linux-gnu/libc.so.6, which has versions up to GLIBC_2.36"}},
		"RELR":        {layers: app("GLIBC_ABI_DT_RELR"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_ABI_DT_RELR of /usr/lib/x86_64-linux-gnu/libc.so.6, which does not have it"}},
		"fits":        {layers: app("GLIBC_2.36", "GLIBC_2.9"), edit: libc},
		"private":     {layers: app("GLIBC_PRIVATE_X"), edit: libc, want: []string{"/usr/bin/app: needs GLIBC_PRIVATE_X of /usr/lib/x86_64-linux-gnu/libc.so.6, which does not have it"}},
		"glibc's":     {layers: app("GLIBC_PRIVATE"), edit: libc},
		"weak":        {layers: app("?GLIBC_2.38", "GLIBC_2.9"), edit: libc},
		"unversioned": {layers: app("GLIBC_2.38")},
		"module": {layers: one(glibcLayer(executable("/usr/bin/python3.11", elfSpec{needed: []string{"libc.so.6"}}), library(sitePath+"a/_a.abi3.so", elfSpec{needed: []string{"libc.so.6"}, versions: []string{"GLIBC_2.39"}}))...),
			edit: libc, want: []string{sitePath + "a/_a.abi3.so: needs GLIBC_2.39 of /usr/lib/x86_64-linux-gnu/libc.so.6, which has versions up to GLIBC_2.36"}},
	})
}

func TestELFFiles(t *testing.T) {
	good := string(craftELF(elfSpec{align: 65536}))
	writable := []byte(tinyELF(0x3e))
	writable[64+4] |= byte(elf.PF_W)
	testELF(t, "elf-damaged", map[string]elfCase{
		"cut":                 {layers: one(program("/usr/bin/app", good[:200])), want: []string{"/usr/bin/app: ELF file: " + problemOf(t, good[:200])}},
		"cut library":         {layers: one(file("/usr/lib/liba.so.1", good[:40])), want: []string{"/usr/lib/liba.so.1: ELF file: its header is cut off"}},
		"whole":               {layers: one(program("/usr/bin/app", good))},
		"replaced":            {layers: [][]tarEntry{{program("/usr/bin/app", good[:200])}, {program("/usr/bin/app", good)}}},
		"data with its magic": {layers: one(file("/usr/share/misc/sample.bin", good[:40]))},
	})
	testELF(t, "elf-machine", map[string]elfCase{
		"arm64 library on amd64": {layers: one(library("/usr/lib/liba.so", elfSpec{machine: elf.EM_AARCH64})), want: []string{"/usr/lib/liba.so: made for arm64, the image is for amd64"}},
		"amd64 program on arm64": {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0x3e))), want: []string{"/usr/bin/app: made for amd64, the image is for arm64"}},
		"unknown machine":        {layers: one(library("/usr/lib/liba.so", elfSpec{machine: 1234})), want: []string{"/usr/lib/liba.so: made for EM_1234, the image is for amd64"}},
		"its own":                {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0xb7)))},
		"object file":            {layers: one(library("/usr/lib/a.o", elfSpec{machine: elf.EM_BPF, kind: elf.ET_REL}))},
		"hidden":                 {layers: [][]tarEntry{{library("/a.so", elfSpec{machine: elf.EM_AARCH64})}, {library("/a.so", elfSpec{})}}},
	})
	testELF(t, "elf-align", map[string]elfCase{
		"4 KiB":          {arch: "arm64", layers: one(library("/usr/lib/liba.so", elfSpec{machine: elf.EM_AARCH64})), want: []string{"/usr/lib/liba.so: a segment is aligned to 4096 bytes, a page may have 16384"}},
		"16 KiB":         {arch: "arm64", layers: one(library("/usr/lib/liba.so", elfSpec{machine: elf.EM_AARCH64, align: 16384}))},
		"64 KiB":         {arch: "arm64", layers: one(program("/usr/bin/app", tinyELF(0xb7)))},
		"4 KiB on amd64": {layers: one(library("/usr/lib/liba.so", elfSpec{}))},
	})
	testELF(t, "elf-stack", map[string]elfCase{
		"executable":    {layers: one(library("/usr/lib/liba.so", elfSpec{stack: elf.PF_X})), want: []string{"/usr/lib/liba.so: it asks for an executable stack"}},
		"not":           {layers: one(library("/usr/lib/liba.so", elfSpec{}))},
		"writable code": {layers: one(program("/usr/bin/app", string(writable))), want: []string{"/usr/bin/app: a segment of it is writable and executable"}},
		"object":        {layers: one(library("/usr/lib/a.o", elfSpec{kind: elf.ET_REL, stack: elf.PF_X}))},
	})
}

func problemOf(t *testing.T, data string) string {
	t.Helper()
	_, err := parseELF(strings.NewReader(data), int64(len(data)))
	require.Error(t, err)
	return err.Error()
}

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
		"library":      {layers: one(library("/usr/lib/libcap.so.2", elfSpec{soname: "libcap.so.2", interpreter: "/x"}))},
	})
}

func TestELFLibc(t *testing.T) {
	gnu, msl := sitePath+"a/_a.cpython-311-x86_64-linux-gnu.so", sitePath+"a/_a.cpython-311-x86_64-linux-musl.so"
	both := slices.Concat(muslLayer(), glibcLayer())
	testELF(t, "elf-libc", map[string]elfCase{
		"musl program on glibc":   {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{interpreter: muslLoader}))...), want: []string{"/usr/bin/app: made for musl (its loader is " + muslLoader + "), the image has glibc"}},
		"glibc program on musl":   {layers: one(muslLayer(executable("/usr/bin/app", elfSpec{}))...), want: []string{"/usr/bin/app: made for glibc (its loader is " + glibcLoader + "), the image has musl"}},
		"musl module on glibc":    {layers: one(glibcLayer(library(msl, elfSpec{needed: []string{"libc.so"}}))...), want: []string{msl + ": made for musl (it needs libc.so), the image has glibc"}},
		"glibc module on musl":    {layers: one(muslLayer(library(gnu, elfSpec{needed: []string{"libc.so.6"}, versions: []string{"GLIBC_2.17"}}))...), want: []string{gnu + ": made for glibc (it needs GLIBC_2.17), the image has musl"}},
		"by its name":             {layers: one(glibcLayer(library(msl, elfSpec{needed: []string{"libz.so.1"}}))...), want: []string{msl + ": made for musl (by its name), the image has glibc"}},
		"musl's loader is a link": {layers: one(library("/usr/lib/libc.so", elfSpec{}), link(muslLoader, "/usr/lib/libc.so"), library(gnu, elfSpec{needed: []string{"libc.so.6"}})), want: []string{gnu + ": made for glibc (it needs libc.so.6), the image has musl"}},
		"libgcc_s has GLIBC_2.0":  {layers: one(muslLayer(library(msl, elfSpec{needed: []string{"libgcc_s.so.1", "libc.musl-x86_64.so.1"}, versions: []string{"GLIBC_2.0"}}))...)},
		"glibc on glibc":          {layers: one(glibcLayer(executable("/usr/bin/app", elfSpec{needed: []string{"libc.so.6"}}), library(gnu, elfSpec{needed: []string{"libc.so.6"}}))...)},
		"musl on musl":            {layers: one(muslLayer(library(msl, elfSpec{needed: []string{"libc.so"}}))...)},
		"static on either":        {layers: one(muslLayer(program("/usr/bin/app", tinyELF(0x3e)))...)},
		"gcompat":                 {layers: one(append(both, executable("/usr/bin/app", elfSpec{}))...)},
		"gcompat, wrong module": {layers: one(append(both, executable("/usr/bin/python3.11", elfSpec{interpreter: muslLoader}), library(gnu, elfSpec{needed: []string{"libc.so.6"}}), library(msl, elfSpec{}))...),
			want: []string{gnu + ": made for glibc (it needs libc.so.6), the image's Python is made for musl"}},
		"no loader at all": {layers: one(library(gnu, elfSpec{needed: []string{"libc.so.6"}}))},
	})
}

// A hostile image, in which every program needs every other, ends in bounded time.
func TestELFEntangled(t *testing.T) {
	var all []string
	for i := range 400 {
		all = append(all, fmt.Sprintf("lib%d.so", i))
	}
	facts := Facts{Files: []File{{Path: glibcLoader, Kind: Regular, ELF: &ELF{Type: "dyn", Machine: "amd64"}}}}
	for _, name := range all {
		facts.Files = append(facts.Files, File{Path: debianLib + name, Kind: Regular, ELF: &ELF{Type: "dyn", Machine: "amd64", Executable: true, Needed: all}})
	}
	facts.Files = append(facts.Files, File{Path: debianLib + "libc.so.6", Kind: Regular, ELF: &ELF{Type: "dyn", Machine: "amd64"}})
	start := time.Now()
	found := Check(&v1.ConfigFile{Architecture: "amd64"}, []Facts{facts}, Contract{Only: []string{"elf-needed"}})
	require.Len(t, found, 1)
	require.Contains(t, found[0].Found, "not judged")
	require.Less(t, time.Since(start), time.Minute)
}
