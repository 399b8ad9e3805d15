// Package lines says on which line of a file something is, for errors.
package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Report collects what is wrong with a file, by line.
type Report struct {
	// Name is what errors call the file.
	Name string
	errs []error
}

// Err returns all of it as one error, nil if there is nothing.
func (r *Report) Err() error { return errors.Join(r.errs...) }

// Bad adds an error.
func (r *Report) Bad(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("parsing %s: line %d: %w", r.Name, line, fmt.Errorf(format, args...)))
}

// At returns the 1-based line of a byte offset.
func At(data []byte, offset int64) int {
	offset = max(0, min(offset, int64(len(data))))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// With returns the n-th line, from 0, that has all marks and is no comment; the
// last such line if there are fewer, and the first of the file if there is none.
func With(data []byte, n int, marks ...string) int {
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

// OfKey returns the line on which a TOML key is set; the TOML decoder does not say.
func OfKey(data []byte, key string) int {
	set := regexp.MustCompile(`(?m)(?:^|[\s{,.])["']?` + regexp.QuoteMeta(key) + `["']?\s*(?:=|\.|\])`)
	at := set.FindIndex(data)
	if at == nil {
		return With(data, 0, key)
	}
	return At(data, int64(at[1]-1))
}

// OfValue returns the line on which the JSON value at a path such as
// "/suites/0/date" begins; if there is none, that of the closest value around it.
func OfValue(data []byte, at string) int {
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
		lines[at] = At(data, dec.InputOffset())
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

// Quoted returns a string as TOML and JSON write it.
func Quoted(s string) string { return `"` + s + `"` }
