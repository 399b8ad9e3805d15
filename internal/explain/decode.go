package explain

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// marks are byte order marks, each before those that it begins with.
var marks = []struct {
	bytes string
	encoding.Encoding
}{
	{"\xef\xbb\xbf", encoding.Nop},
	{"\xff\xfe\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
	{"\x00\x00\xfe\xff", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{"\xff\xfe", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{"\xfe\xff", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
}

// coding is how a file names its encoding, on a comment among its first two lines
// (PEP 263).
var coding = regexp.MustCompile(`^(?:[^\n]*\n)?#[^\n]*?coding[:=][ \t]*([-\w.]+)`)

// decode returns a file's text with its own line ends, and what is wrong with its
// encoding. It reads what pip does: a byte order mark, as PowerShell's redirection and
// Notepad write it, a coding comment, UTF-8. Without any of these the encoding is
// guessed, so that the text can be corrected.
func decode(data []byte) (text, problem string) {
	for _, mark := range marks {
		if rest, ok := bytes.CutPrefix(data, []byte(mark.bytes)); ok {
			return decoded(rest, mark.Encoding), ""
		}
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return unmarked(data)
	}
	m := coding.FindSubmatch(data)
	if m == nil {
		return decoded(data, encoding.Nop), ""
	}
	if named := byName(string(m[1])); named != nil {
		return decoded(data, named), ""
	}
	return decoded(data, encoding.Nop), fmt.Sprintf("its encoding %s is not known: save it as UTF-8", m[1])
}

func decoded(data []byte, from encoding.Encoding) string {
	if text, err := from.NewDecoder().Bytes(data); err == nil {
		data = text
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

// unmarked reads a file that has NULs: UTF-16 that lost its mark, or no text. Of
// the characters that requirements are made of, UTF-16 has a NUL in every second byte.
func unmarked(data []byte) (text, problem string) {
	order, nulls := unicode.LittleEndian, [2]int{}
	for i, b := range data {
		if b == 0 {
			nulls[i%2]++
		}
	}
	if nulls[0] > nulls[1] {
		order = unicode.BigEndian
	}
	if 5*max(nulls[0], nulls[1]) < 2*len(data) || min(nulls[0], nulls[1]) > 0 {
		return "", "it is no text file: it has NUL bytes"
	}
	return decoded(data, unicode.UTF16(order, unicode.IgnoreBOM)), "it is UTF-16 without a byte order mark, which pip cannot read: save it as UTF-8"
}

// byName finds an encoding of one byte a character, or UTF-8, by the names that
// Python has for it.
func byName(name string) encoding.Encoding {
	name = pythonCodec.Replace(strings.ToLower(name))
	switch name {
	case "utf8", "utf8sig", "ascii", "usascii":
		return encoding.Nop
	case "latin1", "l1":
		name = "iso88591"
	case "latin9":
		name = "iso885915"
	}
	for _, known := range charmap.All {
		if c, ok := known.(*charmap.Charmap); ok && pythonCodec.Replace(strings.ToLower(c.String())) == name {
			return c
		}
	}
	return nil
}

// pythonCodec makes Python's names ("cp1252", "iso-8859-1") and those of package
// charmap ("Windows 1252", "IBM Code Page 437") the same.
var pythonCodec = strings.NewReplacer(" ", "", "-", "", "_", "", "windows", "cp", "ibmcodepage", "cp")
