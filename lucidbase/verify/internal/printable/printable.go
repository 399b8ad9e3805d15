// Package printable spells names that a hostile archive may have chosen.
package printable

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Valid spells bytes that are no UTF-8 as \xNN: findings become JSON, and two such
// names must stay two.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && s[i] >= utf8.RuneSelf && !strings.HasPrefix(s[i:], "\uFFFD") {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Quote makes a name fit for an error's one line.
func Quote(name string) string {
	if len(name) > 200 {
		name = name[:200] + "..."
	}
	return strconv.Quote(name)
}
