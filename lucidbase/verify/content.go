package verify

import "bytes"

// contents are what is found in place of a program or a library, by its first bytes.
var contents = []struct{ magic, what string }{
	{"version https://git-lfs.github.com/", "a pointer of Git LFS, not the file itself"},
	{"\xfe\xed\xfa\xce", machO}, {"\xfe\xed\xfa\xcf", machO}, {"\xce\xfa\xed\xfe", machO}, {"\xcf\xfa\xed\xfe", machO},
	{"\xca\xfe\xba\xbe\x00\x00\x00", machO}, {"\xca\xfe\xba\xbf\x00\x00\x00", machO},
	{"MZ", "a Windows file (PE)"},
	{"!<arch>\n", "a static library (ar)"}, {"!<thin>\n", "a static library (ar)"},
	{"PK\x03\x04", "a zip archive"}, {"\x1f\x8b", "a gzip file"}, {"\x28\xb5\x2f\xfd", "a zstd file"},
	{"\x00asm", "a WebAssembly module"}, {"BC\xc0\xde", "LLVM bitcode"},
	{"\xef\xbb\xbf#!", "a script behind a byte order mark"}, {"\xff\xfe", "text in UTF-16"},
	{"<!DOCTYPE ", "an HTML page"}, {"<!doctype ", "an HTML page"}, {"<html", "an HTML page"},
}

const machO = "a macOS file (Mach-O)"

// contentOf names what a file is by its first bytes, "" for what is not in contents.
func contentOf(head []byte) string {
	for _, c := range contents {
		if len(head) > 0 && head[0] == c.magic[0] && bytes.HasPrefix(head, []byte(c.magic)) {
			return c.what
		}
	}
	return ""
}

// elfKinds are the types of ELF files that nothing can start or load.
var elfKinds = map[string]string{
	"rel": "an object file of a compiler", "core": "a core dump", "debug": "debugging information without the program",
}
