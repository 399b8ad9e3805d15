package pysource

import "strings"

// isPrefix reports whether letters before a quote belong to the string.
func isPrefix(s string) bool {
	switch strings.ToLower(s) {
	case "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt":
		return true
	}
	return false
}

// quoted passes over a string that begins at the lexer's place.
func (l *lexer) quoted(prefix string) {
	if strings.ContainsAny(prefix, "fFtT") && !l.simple {
		f := formatted{src: l.src, raw: strings.ContainsAny(prefix, "rR")}
		if end := f.whole(l.pos, 0); end >= 0 {
			l.passTo(end)
			return
		}
		l.simple = true
	}
	end := plain(l.src, l.pos)
	if end < 0 {
		l.failed = true
		end = len(l.src)
	}
	l.passTo(end)
}

// passTo goes on behind a string and counts its lines.
func (l *lexer) passTo(end int) {
	for l.pos < end {
		n := l.newline(l.pos)
		if n > 0 {
			l.line++
		}
		l.pos += max(1, n)
	}
}

// quotes returns what a string begins and ends with.
func quotes(src string, at int) string {
	if q := src[at : at+1]; strings.HasPrefix(src[at+1:], q+q) {
		return src[at : at+3]
	}
	return src[at : at+1]
}

// plain returns the end of a string that is none of PEP 701's, -1 for none.
func plain(src string, at int) int {
	q := quotes(src, at)
	for i := at + len(q); i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\':
			if i++; i+1 < len(src) && src[i] == '\r' && src[i+1] == '\n' {
				i++
			}
		case c == q[0] && strings.HasPrefix(src[i:], q):
			return i + len(q)
		case (c == '\n' || c == '\r') && len(q) == 1:
			return -1
		}
	}
	return -1
}

// formatted finds the end of an f-string as PEP 701 has it: a field's expression can
// hold any string, also of the same quotes.
type formatted struct {
	src string
	raw bool
}

// maxNested is how deep f-strings may be in each other (MAXFSTRINGLEVEL of CPython).
const maxNested = 150

// whole returns the end of an f-string that begins at a quote, -1 for none.
func (f formatted) whole(at, depth int) int {
	q := quotes(f.src, at)
	return f.literal(at+len(q), q, depth, false)
}

// literal passes over a string's own text, or over a field's format: to behind the
// closing quotes, or to the brace.
func (f formatted) literal(i int, q string, depth int, format bool) int {
	for i >= 0 && i < len(f.src) {
		switch c := f.src[i]; {
		case c == '\\' && !f.raw && strings.HasPrefix(f.src[i:], `\N{`):
			end := strings.IndexByte(f.src[i:], '}')
			if end < 0 {
				return -1
			}
			i += end + 1
		case c == '\\' && strings.HasPrefix(f.src[i+1:], "\r\n"):
			i += 3
		case c == '\\' && i+1 < len(f.src) && f.src[i+1] != '{' && f.src[i+1] != '}':
			i += 2
		case c == q[0] && strings.HasPrefix(f.src[i:], q):
			if format {
				return -1
			}
			return i + len(q)
		case (c == '\n' || c == '\r') && len(q) == 1:
			return -1
		case c == '}' && format:
			return i
		case c == '{' && !format && strings.HasPrefix(f.src[i:], "{{"):
			i += 2
		case c == '{':
			i = f.field(i+1, q, depth+1)
		default:
			i++
		}
	}
	return -1
}

// field passes over a replacement field, from behind its opening brace to behind the
// closing one.
func (f formatted) field(i int, q string, depth int) int {
	if depth > maxNested {
		return -1
	}
	open := 0
	for i >= 0 && i < len(f.src) {
		switch c := f.src[i]; {
		case c == '"' || c == '\'':
			i = f.inner(i, depth)
		case c == '#':
			if len(q) == 1 {
				return -1
			}
			n := strings.IndexAny(f.src[i:], "\r\n")
			if n < 0 {
				return -1
			}
			i += n
		case c == '(' || c == '[' || c == '{':
			open++
			i++
		case c == '}' && open == 0:
			return i + 1
		case c == ')' || c == ']' || c == '}':
			open--
			i++
		case c == ':' && open == 0:
			if i = f.literal(i+1, q, depth, true); i < 0 {
				return -1
			}
		case c == '!' && open == 0 && strings.HasPrefix(f.src[i:], "!="):
			i += 2
		default:
			i++
		}
	}
	return -1
}

// inner passes over a string in a field, whose quotes may be the outer string's (PEP 701).
func (f formatted) inner(i, depth int) int {
	start := i
	for start > 0 && isLetter(f.src[start-1]) {
		start--
	}
	prefix := f.src[start:i]
	if isPrefix(prefix) && strings.ContainsAny(prefix, "fFtT") {
		return formatted{f.src, strings.ContainsAny(prefix, "rR")}.whole(i, depth)
	}
	return plain(f.src, i)
}
