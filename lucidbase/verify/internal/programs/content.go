package programs

import (
	"bytes"
)

// contents are what is found in place of a program or a library, by its first bytes.
var contents = []struct{ magic, what string }{
	{"version https://git-lfs.github.com/", "a pointer of Git LFS, not the file itself"},
	{"\xfe\xed\xfa\xce", MachO}, {"\xfe\xed\xfa\xcf", MachO}, {"\xce\xfa\xed\xfe", MachO}, {"\xcf\xfa\xed\xfe", MachO},
	{"\xca\xfe\xba\xbe\x00\x00\x00", MachO}, {"\xca\xfe\xba\xbf\x00\x00\x00", MachO},
	{"MZ", "a Windows file (PE)"},
	{"!<arch>\n", "a static library (ar)"}, {"!<thin>\n", "a static library (ar)"},
	{"PK\x03\x04", "a zip archive"}, {"\x1f\x8b", "a gzip file"}, {"\x28\xb5\x2f\xfd", "a zstd file"},
	{"\x00asm", "a WebAssembly module"}, {"BC\xc0\xde", "LLVM bitcode"},
	{"\xef\xbb\xbf#!", "a script behind a byte order mark"}, {"\xff\xfe", "text in UTF-16"},
	{"<!DOCTYPE ", "an HTML page"}, {"<!doctype ", "an HTML page"}, {"<html", "an HTML page"},
}

// MachO is what Content returns for any of them.
const MachO = "a macOS file (Mach-O)"

// Content names what a file is by its first bytes, "" for what is not in contents.
func Content(head []byte) string {
	for _, c := range contents {
		if len(head) > 0 && head[0] == c.magic[0] && bytes.HasPrefix(head, []byte(c.magic)) {
			return c.what
		}
	}
	return ""
}
