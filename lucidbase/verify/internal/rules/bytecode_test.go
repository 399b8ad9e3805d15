package rules_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// timed is a .pyc of a source with a size and a time, hashed one of a source's
// hash (PEP 552).
func timed(path string, magic uint16, mtime, size uint32) tarEntry {
	head := pycHead(magic, 0)
	head = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(head, mtime), size)
	return file(path, string(head)+"code")
}

func hashed(path string, magic uint16, flags uint32, hash string) tarEntry {
	sum, err := hex.DecodeString(hash)
	if err != nil {
		panic(err)
	}
	return file(path, string(append(pycHead(magic, flags), sum...))+"code")
}

func pycHead(magic uint16, flags uint32) []byte {
	head := append(binary.LittleEndian.AppendUint16(nil, magic), '\r', '\n')
	return binary.LittleEndian.AppendUint32(head, flags)
}

func TestBytecodeFits(t *testing.T) {
	const at, text = "/app/__pycache__/m.cpython-311.pyc", "VALUE = 1\n"
	// python3.11 -c 'import importlib.util as u; print(u.source_hash(b"VALUE = 1\n").hex())'
	const sum, wrong = "e34011fdf0b6fed7", "0123456789abcdef"
	source := file("/app/m.py", text)
	source.ModTime = time.Unix(1700000000, 0)
	var many []tarEntry
	for i := range 12 {
		many = append(many, file(fmt.Sprintf("/app/m%d.py", i), text), timed(fmt.Sprintf("/app/__pycache__/m%d.cpython-311.pyc", i), 3495, 1, uint32(len(text))))
	}
	testRule(t, "bytecode", []breach{
		{name: "unchecked hash", layers: one(source, hashed(at, 3495, 1, wrong)), want: []string{at}},
		{name: "checked hash", layers: one(source, hashed(at, 3495, 3, wrong)), want: []string{at}},
		{name: "source changed later", layers: [][]tarEntry{{source, hashed(at, 3495, 1, sum)}, {file("/app/m.py", "VALUE = 2\n")}}, want: []string{at}},
		{name: "size", layers: one(source, timed(at, 3495, 1700000000, 11)), want: []string{at}},
		{name: "time", layers: one(source, timed(at, 3495, 1700000001, uint32(len(text)))), want: []string{at}},
		{name: "magic", layers: one(source, hashed(at, 3531, 1, sum)), want: []string{at}},
		{name: "other interpreter", layers: one(source, hashed("/app/__pycache__/m.cpython-312.pyc", 3531, 1, sum)), want: []string{"/app/__pycache__/m.cpython-312.pyc"}},
		{name: "optimised", layers: one(source, hashed("/app/__pycache__/m.cpython-311.opt-1.pyc", 3495, 1, wrong)), want: []string{"/app/__pycache__/m.cpython-311.opt-1.pyc"}},
		{name: "cut", layers: one(source, file(at, "\xa7\r\r\n")), want: []string{at}},
		{name: "no bytecode", layers: one(source, file(at, strings.Repeat("x", 40))), want: []string{at}},
		{name: "without a source, magic", layers: one(hashed("/app/m.pyc", 3425, 1, sum)), want: []string{"/app/m.pyc"}},
		{name: "a wheel's without a source", layers: one(distribution(strings.TrimSuffix(sitePath, "/"), "a", "1.0", file("a/m.pyc", hashed("", 3425, 1, sum).Body))...), want: []string{sitePath + "a/m.pyc"}},
		{name: "many", layers: one(many...), want: []string{"/app/__pycache__"}},

		{name: "hash", layers: one(source, hashed(at, 3495, 1, sum))},
		{name: "size and time", layers: one(source, timed(at, 3495, 1700000000, uint32(len(text))))},
		{name: "source is gone", layers: one(hashed(at, 3495, 1, wrong))}, // the rule cache's
		{name: "without a source", layers: one(hashed("/app/m.pyc", 3495, 1, wrong))},
		{name: "of another interpreter of the image", layers: one(source, program("/opt/py/bin/python3.12", tinyELF(0x3e)), hashed("/app/__pycache__/m.cpython-312.pyc", 3531, 1, sum))},
		{name: "of an embedded interpreter", layers: one(source, library("/usr/lib/libpython3.12.so.1.0", elfSpec{}), hashed("/app/__pycache__/m.cpython-312.pyc", 3531, 1, sum))},
		{name: "of a wheel", layers: one(distribution(strings.TrimSuffix(sitePath, "/"), "a", "1.0", file("a/__init__.py", ""), file("a/__pycache__/__init__.cpython-38.pyc", hashed("", 3413, 1, wrong).Body))...)},
		{name: "of a wheel, beside its source", layers: one(distribution(strings.TrimSuffix(sitePath, "/"), "a", "1.0", file("a/m.py", ""), file("a/m.pyc", hashed("", 3425, 1, sum).Body))...)},
		{name: "of a wheel, without a source", layers: one(distribution(strings.TrimSuffix(sitePath, "/"), "a", "1.0", file("a/m.pyc", hashed("", 3495, 1, wrong).Body))...)},
		{name: "hidden", layers: [][]tarEntry{{source, hashed(at, 3495, 1, wrong)}, {whiteout(at)}}},
		{name: "of another implementation", layers: one(source, file("/app/__pycache__/m.pypy39.pyc", string(pycHead(336, 0))+"12345678"))},
	})
	require.Len(t, many, 24)
}
