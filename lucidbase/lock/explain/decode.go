package explain

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// decode gives a file's text with "\n" at the end of its lines.
func decode(data []byte) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(rawText(data))
}

// rawText gives a file's text: UTF-8, or UTF-16 if a byte order mark says so, as
// PowerShell's redirection writes it.
func rawText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return decode16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return decode16(data[2:], binary.BigEndian)
	}
	return strings.ToValidUTF8(string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), "\uFFFD")
}

func decode16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}
