package programs

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// MaxShebang is how much of a script's first line the kernel reads behind "#!":
// 256 bytes with these two and the line's end (Linux 5.1, fs/binfmt_script.c).
const MaxShebang = 253

// Shebang is a script's first line. One that is longer than the kernel reads is cut
// behind that.
func Shebang(head []byte) string {
	line := head[2:min(len(head), 2+MaxShebang+1)]
	line, _, whole := bytes.Cut(line, []byte("\n"))
	if !whole && len(line) > MaxShebang {
		return printable.Valid(string(line))
	}
	line, _, _ = bytes.Cut(line, []byte("\x00"))
	return strings.Trim(printable.Valid(string(line)), " \t")
}

// trampolineLine is the second line of a script that is shell and Python at once:
// pip and uv write it where the interpreter's path does not fit a first line.
var trampolineLine = regexp.MustCompile(`^[^\n]*\n'''exec' (?:"([^"$\n]*)"|'([^'\n]*)'|([^\s"'$]+)|[^\n]*)`)

// Trampoline is the interpreter that such a script starts, "?" where only a shell can
// find it; "" for other scripts.
func Trampoline(head []byte) string {
	m := trampolineLine.FindSubmatch(head[:min(len(head), 4096)])
	if m == nil {
		return ""
	}
	if p := printable.Valid(string(bytes.Join(m[1:], nil))); path.IsAbs(p) {
		return p
	}
	return "?"
}
