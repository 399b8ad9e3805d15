// Package programs recognises files by their content: shells, package managers and
// compilers whatever they are called, scripts, and what stands in a program's place.
package programs

import (
	"bytes"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/match"
)

// signature is what a program has in it, whatever it is called and however it was
// linked or stripped.
type signature struct {
	program string
	// words must all be there. "|" stands for the NUL around a C string; "%" for
	// nothing: a program that has this table in it, as ours does, is none of these.
	words []string
	// where it counts: "" in executables, "lib" in shared libraries too, "zip" in zip
	// archives.
	where string
}

// signatures are tried in this order. Shells are known by the names of their
// builtins, which a shell cannot be without; special ones come before the general
// one that POSIX asks for (XCU 2.14, 1.6).
var signatures = []signature{
	{"busybox", []string{"|BusyBox v%", "multi-call% binary"}, "lib"},
	{"busybox", []string{"|BusyBox v%", "|%/bin/sh|"}, ""},
	{"toybox", []string{"landley.net/%toybox"}, ""},
	{"bash", []string{"|BASH_VERSINFO|", "|getopts|"}, ""},
	{"zsh", []string{"|ZSH_EVAL_CONTEXT|", "|getopts|"}, ""},
	{"yash", []string{"YASH_%LOADPATH", "|getopts|"}, ""},
	{"mksh", []string{"leave% mksh", "|getopts|"}, ""},
	{"posh", []string{"posh_builtin_%getopts"}, ""},
	{"ksh", []string{"KSH_%VERSION", "|getopts|"}, ""},
	{"fish", []string{"fish_default_%key_bindings", "__fish_print_%help"}, ""},
	{"tcsh", []string{"|hashstat|", "|unalias|", "|bindkey|"}, ""},
	{"csh", []string{"|hashstat|", "|unalias|"}, ""},
	{"sash", []string{"|Stand-alone% shell", "|unalias|"}, ""},
	{"rc", []string{"|whatis|", "builtin %s"}, ""},
	{"rc", []string{"|whatis|", "etc/%rcmain"}, ""},
	{"elvish", []string{"src.elv.sh/%pkg/shell."}, ""},
	{"gosh", []string{"mvdan.cc/%sh/v3/cmd/gosh"}, ""},
	{"nushell", []string{"NU_LIB_%DIRS", "PROMPT_COMMAND_%RIGHT"}, ""},
	// GNU make has the names of the builtins too, to find out when it needs a shell.
	{"make", []string{"|GNUmakefile|", "|unalias|"}, ""},
	{"sh", []string{"|unalias|", "|getopts|"}, ""},

	{"dpkg", []string{"|Debian% %s% package management program"}, ""},
	{"dpkg", []string{"|Debian% '%s'% package management program"}, ""},
	{"dpkg", []string{"|Debian% '%s'% package archive backend"}, ""},
	{"apt", []string{"|dist-upgrade|", "|autoremove|"}, ""},
	{"apt", []string{"|APT::Cache::%Generate|"}, ""},
	{"apk", []string{"|apk-tools% "}, ""},
	{"rpm", []string{"RPM version% %s\n\x00"}, ""},
	{"zypper", []string{"_ZN%4zypp", "|dist-upgrade|"}, ""},
	{"pacman", []string{"|alpm_%trans_commit|", "|alpm_%option_set_logfile|"}, ""},
	{"snap", []string{"github.com/snapcore/%snapd/cmd/snap."}, ""},
	{"uv", []string{"uv-%resolver", "crates/%uv-installer"}, ""},
	{"cargo", []string{"src/cargo/%core/compiler/", "CARGO_%MANIFEST_DIR"}, ""},
	{"pip", []string{"pip/_internal/%__init__.py", "pip/%__main__.py"}, "zip"},

	{"as", []string{"|GNU% assembler "}, ""},
	{"ld", []string{"|GNU ld% %s"}, ""},
	{"gold", []string{"4gold%15General_options"}, ""},
	{"gcc", []string{"COLLECT_%GCC", "gcc driver% version"}, ""},
	{"cc1", []string{"|GNU C%17|"}, ""},
	{"zig", []string{"zig% build-exe", "zig% translate-c"}, ""},
	{"tcc", []string{"|Tiny C% Compiler "}, ""},
	{"tcc", []string{"|tcc% version %s"}, ""},
	{"go", []string{"cmd/go/%internal/workcmd"}, ""},
	{"go", []string{"path\tcmd/%go\n"}, ""},
	{"rustc", []string{"rustc_%driver4main"}, ""},

	{"upx", []string{"$Info: This file is packed% with the UPX executable packer"}, "lib"},
}

// signatureWords are the words of all signatures; signatureSets, in their order,
// has each one's as bits.
var signatureWords, signatureSets = func() ([]string, [][]int) {
	real := strings.NewReplacer("%s", "%s", "|", "\x00", "%", "")
	var words []string
	sets := make([][]int, len(signatures))
	known := map[string]int{}
	for i, s := range signatures {
		for _, w := range s.words {
			w = real.Replace(w)
			if _, ok := known[w]; !ok {
				known[w] = len(words)
				words = append(words, w)
			}
			sets[i] = append(sets[i], known[w])
		}
	}
	return words, sets
}()

var programMatcher = match.New(signatureWords)

// Finder looks for signatures in a file as it goes by.
type Finder struct {
	window match.Window
	// seen has the words that are there; any is whether one is.
	seen []bool
	any  bool
	zip  bool
	// packed is set for UPX' mark in the head; last is the file's end, where it leaves
	// another.
	packed bool
	last   []byte
}

// NewFinder returns nil for what can be no program: all but ELF files, and zip
// archives, which Python runs.
func NewFinder(head []byte) *Finder {
	zip := bytes.HasPrefix(head, []byte("PK\x03\x04")) ||
		bytes.HasPrefix(head, []byte("#!")) && bytes.Contains(head[:min(len(head), 512)], []byte("\nPK\x03\x04"))
	if !zip && !bytes.HasPrefix(head, []byte(elf.Magic)) {
		return nil
	}
	return &Finder{
		zip: zip, seen: make([]bool, len(signatureWords)), window: match.Window{Overlap: 128},
		packed: !zip && hasMark(head[:min(len(head), upxHead)]),
	}
}

// upxHead is where UPX' l_info is in an ELF file: behind the header and two or
// three program headers; upxTail is its PackHeader and overlay offset at the end.
const (
	upxHead = 512
	upxTail = 64
)

// upxMark is UPX_MAGIC_LE32.
var upxMark = []byte("UPX!")

func hasMark(p []byte) bool { return bytes.Contains(p, upxMark) }

// Add looks at the next piece of the content, which is only read until it returns.
func (s *Finder) Add(p []byte) {
	s.window.Add(p, s.look)
	s.last = append(s.last, p[max(0, len(p)-upxTail):]...)
	s.last = s.last[max(0, len(s.last)-upxTail):]
}

func (s *Finder) look(data []byte, end int) {
	programMatcher.Find(data, end, func(word, _ int) { s.seen[word], s.any = true, true })
}

// Found ends the content and returns the program that it is, "" for none that is
// known. e is what the file is as an ELF file, nil for another.
func (s *Finder) Found(e *elf.File) string {
	s.window.Last(s.look)
	if s.packed || !s.zip && hasMark(s.last) {
		return "upx"
	}
	if !s.any {
		return ""
	}
	for i, sig := range signatures {
		if s.counts(sig.where, e) && s.all(signatureSets[i]) {
			return sig.program
		}
	}
	return ""
}

func (s *Finder) counts(where string, e *elf.File) bool {
	switch {
	case s.zip:
		return where == "zip"
	case e == nil || where == "zip":
		return false
	}
	return e.Executable || where == "lib" && e.Type == "dyn"
}

func (s *Finder) all(words []int) bool {
	for _, w := range words {
		if !s.seen[w] {
			return false
		}
	}
	return true
}
