package pysource

import "strings"

// kind is what a token is.
type kind byte

const (
	name kind = iota + 1
	number
	text
	operator
)

// token is a piece of a logical line.
type token struct {
	kind kind
	// depth is how many brackets are open around it.
	depth int32
	line  int
	text  string
}

func (t token) is(s string) bool { return t.kind != text && t.text == s }

// lexer splits a source into logical lines (The Python Language Reference, 2.1).
type lexer struct {
	src  string
	pos  int
	line int
	// column is the indentation of the logical line that was read last.
	column int
	// tokens are those of that line.
	tokens []token
	// simple is set when an f-string was not as PEP 701 has it: from there on all
	// end at their first quote, as before Python 3.12.
	simple bool
	// failed is set for a source that Python does not accept.
	failed bool
}

const bom = "\ufeff"

func newLexer(src string) *lexer { return &lexer{src: strings.TrimPrefix(src, bom), line: 1} }

// at returns a byte ahead, 0 behind the end.
func (l *lexer) at(i int) byte {
	if l.pos+i < len(l.src) {
		return l.src[l.pos+i]
	}
	return 0
}

// newline returns the length of the line's end at a place: 0 for none.
func (l *lexer) newline(at int) int {
	switch {
	case at >= len(l.src):
		return 0
	case l.src[at] == '\n':
		return 1
	case l.src[at] == '\r' && at+1 < len(l.src) && l.src[at+1] == '\n':
		return 2
	case l.src[at] == '\r':
		return 1
	}
	return 0
}

// next reads a logical line that has tokens, false at the end of the source.
func (l *lexer) next() bool {
	l.tokens = l.tokens[:0]
	if l.failed || !l.indentation() {
		return false
	}
	depth := int32(0)
	for l.pos < len(l.src) {
		if n := l.newline(l.pos); n > 0 {
			l.pos, l.line = l.pos+n, l.line+1
			if depth == 0 {
				break
			}
			continue
		}
		switch l.src[l.pos] {
		case ' ', '\t', '\f':
			l.pos++
		case '#':
			l.comment()
		case '\\':
			l.continued()
		default:
			depth = l.token(depth)
		}
		if l.failed {
			return false
		}
	}
	l.failed = l.failed || depth != 0
	return !l.failed
}

// indentation passes over empty lines, and sets the column of the next one.
func (l *lexer) indentation() bool {
	column, first := 0, 0
	for l.pos < len(l.src) && !l.failed {
		if n := l.newline(l.pos); n > 0 {
			l.pos, l.line = l.pos+n, l.line+1
			column, first = 0, 0
			continue
		}
		switch l.src[l.pos] {
		case ' ':
			column++
			l.pos++
		case '\t':
			column = (column/8 + 1) * 8
			l.pos++
		case '\f':
			column = 0
			l.pos++
		case '#':
			l.comment()
		case '\\':
			if first == 0 {
				first = column
			}
			l.continued()
		default:
			if l.column = column; first > 0 {
				l.column = first
			}
			return true
		}
	}
	return false
}

func (l *lexer) comment() {
	if n := strings.IndexAny(l.src[l.pos:], "\r\n"); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.src)
	}
}

// continued passes over a backslash and the line's end behind it.
func (l *lexer) continued() {
	n := l.newline(l.pos + 1)
	l.failed = n == 0
	l.pos, l.line = l.pos+1+n, l.line+1
}

// token reads one token, and returns the depth behind it.
func (l *lexer) token(depth int32) int32 {
	start, line := l.pos, l.line
	t := token{kind: operator, depth: depth, line: line}
	switch c := l.src[l.pos]; {
	case isLetter(c):
		t.kind = name
		for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
			l.pos++
		}
		if quote := l.at(0); (quote == '"' || quote == '\'') && isPrefix(l.src[start:l.pos]) {
			t.kind = text
			l.quoted(l.src[start:l.pos])
		}
	case c == '"' || c == '\'':
		t.kind = text
		l.quoted("")
	case isDigit(c) || c == '.' && isDigit(l.at(1)):
		t.kind = number
		for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos]) || l.src[l.pos] == '.') {
			l.pos++
		}
	case strings.IndexByte("([{", c) >= 0:
		l.pos++
		depth++
	case strings.IndexByte(")]}", c) >= 0:
		l.pos++
		depth--
		t.depth = depth
		l.failed = depth < 0
	default:
		l.pos += operatorLength(l.src[l.pos:min(len(l.src), l.pos+3)])
	}
	t.text = l.src[start:l.pos]
	l.tokens = append(l.tokens, t)
	return depth
}

// operatorLength keeps together what has an equals sign in it, which must not be taken
// for an assignment's.
func operatorLength(s string) int {
	for _, op := range []string{"**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", ":=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@="} {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 1
}

// isLetter counts every byte of a character beyond ASCII: Python accepts letters there
// alone.
func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
