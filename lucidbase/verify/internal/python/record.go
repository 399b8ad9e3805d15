package python

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// RecordEntry is a line of RECORD.
type RecordEntry struct {
	// Path is as written: relative to the directory that holds the dist-info, or
	// absolute.
	Path string
	// Hash is "sha256=" and URL-safe base64 without padding, or empty.
	Hash string
	// Size is -1 when the line has none.
	Size int64
}

// Ways to write a RECORD that the specification does not have, and that are
// understood.
const (
	oddMark      = "it starts with a byte order mark"
	oddBackslash = `its paths have "\" between directories, as on Windows`
	oddStandard  = "its hashes are in standard base64, not the URL-safe one"
	oddHex       = "its hashes are in hexadecimal, not in base64"
)

// Record is what a RECORD lists.
type Record struct {
	Entries []RecordEntry
	// Odd says what is not written as the specification has it.
	Odd []string
}

// ParseRecord reads a RECORD: CSV lines of path, hash and size, of which there may
// be as many as limit. What is written in another way is read as what it means, and
// noted. What could be read before an error is returned with it, unless it is that of
// the limit; lines counts also what was read in vain.
// https://packaging.python.org/en/latest/specifications/recording-installed-packages/
func ParseRecord(data []byte, limit int) (r Record, lines int, err error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return r, 0, errors.New("its text is UTF-16, not UTF-8")
	}
	odd := map[string]bool{}
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		data, odd[oddMark] = rest, true
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord = -1
	rows.LazyQuotes = true
	rows.ReuseRecord = true
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, lines, err
		}
		if lines++; lines > limit {
			return Record{}, lines, ErrTooManyLines
		}
		e, err := recordEntry(fields, odd)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return r, lines, fmt.Errorf("line %d: %w", line, err)
		}
		r.Entries = append(r.Entries, e)
	}
	if odd[oddBackslash] {
		for i := range r.Entries {
			r.Entries[i].Path = strings.ReplaceAll(r.Entries[i].Path, `\`, "/")
		}
	}
	for _, o := range []string{oddMark, oddBackslash, oddStandard, oddHex} {
		if odd[o] {
			r.Odd = append(r.Odd, o)
		}
	}
	return r, lines, nil
}

// ErrTooManyLines is of a RECORD with more lines than the limit.
var ErrTooManyLines = errors.New("too many lines")

// onWindows is a line that every RECORD has, as it is written there: a name with a
// backslash could be a file's on Linux.
var onWindows = regexp.MustCompile(`\.dist-info\\(METADATA|RECORD)$`)

func recordEntry(fields []string, odd map[string]bool) (RecordEntry, error) {
	e := RecordEntry{Path: printable.Valid(fields[0]), Size: -1}
	if e.Path == "" {
		return e, errors.New("no path")
	}
	if onWindows.MatchString(e.Path) {
		odd[oddBackslash] = true
	}
	if len(fields) > 1 {
		e.Hash = canonicalHash(strings.TrimSpace(printable.Valid(fields[1])), odd)
	}
	if len(fields) > 2 && strings.TrimSpace(fields[2]) != "" {
		size, err := strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 64)
		if err != nil || size < 0 {
			return e, fmt.Errorf("%s: size %s", printable.Quote(e.Path), printable.Quote(fields[2]))
		}
		e.Size = size
	}
	return e, nil
}

// canonicalHash spells a SHA-256 as the specification does; others are left alone.
func canonicalHash(s string, odd map[string]bool) string {
	algorithm, sum, ok := strings.Cut(s, "=")
	if !ok || !strings.EqualFold(algorithm, "sha256") {
		return s
	}
	sum = strings.TrimRight(sum, "=")
	if len(sum) == 64 {
		if raw, err := hex.DecodeString(sum); err == nil {
			odd[oddHex] = true
			return "sha256=" + base64.RawURLEncoding.EncodeToString(raw)
		}
	}
	if strings.ContainsAny(sum, "+/") {
		odd[oddStandard] = true
		sum = strings.NewReplacer("+", "-", "/", "_").Replace(sum)
	}
	return "sha256=" + sum
}

// SHA256 is the line's as facts have it; empty where it has another hash or none.
func (line RecordEntry) SHA256() string {
	algorithm, sum, _ := strings.Cut(line.Hash, "=")
	if !strings.EqualFold(algorithm, "sha256") {
		return ""
	}
	return sum
}
