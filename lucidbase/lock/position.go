package lock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// reporter collects what is wrong with a file, by line.
type reporter struct {
	name string
	errs []error
}

func (r *reporter) bad(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("parsing %s: line %d: %w", r.name, line, fmt.Errorf(format, args...)))
}

// lineOf gives the 1-based line of a byte offset.
func lineOf(data []byte, offset int64) int {
	offset = max(0, min(offset, int64(len(data))))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// lineWith gives the n-th line, from 0, that has all marks and is no comment; the
// last such line if there are fewer, and the first of the file if there is none.
func lineWith(data []byte, n int, marks ...string) int {
	found, number := 1, 0
	for line := range strings.Lines(string(data)) {
		number++
		if strings.HasPrefix(strings.TrimSpace(line), "#") || !containsAll(line, marks) {
			continue
		}
		found = number
		if n--; n < 0 {
			break
		}
	}
	return found
}

func containsAll(s string, marks []string) bool {
	for _, m := range marks {
		if !strings.Contains(s, m) {
			return false
		}
	}
	return true
}

// lineOfKey gives the line on which a TOML key is set; the TOML decoder does not
// tell.
func lineOfKey(data []byte, key string) int {
	set := regexp.MustCompile(`(?m)(?:^|[\s{,.])["']?` + regexp.QuoteMeta(key) + `["']?\s*(?:=|\.|\])`)
	at := set.FindIndex(data)
	if at == nil {
		return lineWith(data, 0, key)
	}
	return lineOf(data, int64(at[1]-1))
}

// lineOfValue gives the line on which the JSON value at a path such as
// "/suites/0/date" begins; if there is none, that of the closest value around it.
func lineOfValue(data []byte, at string) int {
	lines := jsonLines(data)
	for {
		if line, ok := lines[at]; ok {
			return line
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			return 1
		}
		at = at[:i]
	}
}

func jsonLines(data []byte) map[string]int {
	lines := map[string]int{}
	dec := json.NewDecoder(bytes.NewReader(data))
	var walk func(at string)
	walk = func(at string) {
		value, err := dec.Token()
		if err != nil {
			return
		}
		lines[at] = lineOf(data, dec.InputOffset())
		delim, nested := value.(json.Delim)
		if !nested {
			return
		}
		for i := 0; dec.More(); i++ {
			key := strconv.Itoa(i)
			if delim == '{' {
				name, err := dec.Token()
				if err != nil {
					return
				}
				key = name.(string) // an object's keys are strings, or Token fails
			}
			walk(at + "/" + key)
		}
		_, _ = dec.Token() // the end
	}
	walk("")
	return lines
}

func quoted(s string) string { return `"` + s + `"` }
