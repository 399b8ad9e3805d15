package rules_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rewrittenHashes is a RECORD with its hashes written in another way.
func rewrittenHashes(record string, write func(raw []byte) string) string {
	var out strings.Builder
	for line := range strings.Lines(record) {
		if before, rest, ok := strings.Cut(line, ",sha256="); ok {
			sum, size, _ := strings.Cut(rest, ",")
			raw, err := base64.RawURLEncoding.DecodeString(sum)
			if err != nil {
				panic(err)
			}
			line = before + "," + write(raw) + "," + size
		}
		out.WriteString(line)
	}
	return out.String()
}

// What installers write in another way than the specification is understood, and said
// once with its true name.
func TestRecordOddities(t *testing.T) {
	const info = sitePath + "a-1.0.dist-info/RECORD"
	sum := func(body string) string {
		s := sha256.Sum256([]byte(body))
		return "sha256=" + base64.RawURLEncoding.EncodeToString(s[:])
	}
	standard := func(r string) string {
		return rewrittenHashes(r, func(raw []byte) string { return "sha256=" + base64.StdEncoding.EncodeToString(raw) })
	}
	files := func() (files []tarEntry) {
		for i := range 30 { // some hash has a + or a /
			files = append(files, file(fmt.Sprintf("a/m%02d.py", i), fmt.Sprintf("A = %d\n", i)))
		}
		return append(files, file("a/__init__.py", ""), file("a/b,c.py", "B = 1\n"), file("a/data/x.json", "{}"))
	}
	for name, c := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"standard base64": {standard, []string{info + ": its hashes are in standard base64"}},
		"standard base64, not padded": {func(r string) string { return strings.ReplaceAll(standard(r), "=,", ",") },
			[]string{info + ": its hashes are in standard base64"}},
		"standard base64, changed file": {func(r string) string { return standard(strings.Replace(r, sum("A = 7\n"), sum("x"), 1)) },
			[]string{info + ": its hashes are in standard base64", sitePath + "a/m07.py: its content is not what its hash says"}},
		"hexadecimal": {func(r string) string {
			return rewrittenHashes(r, func(raw []byte) string { return "sha256=" + hex.EncodeToString(raw) })
		}, []string{info + ": its hashes are in hexadecimal"}},
		"md5 everywhere": {func(r string) string {
			return rewrittenHashes(r, func(raw []byte) string { return "md5=" + hex.EncodeToString(raw[:16]) })
		}, []string{info + ": 35 files that it lists: only a broken hash (md5), such as "}},
		"an unknown hash": {func(r string) string {
			return rewrittenHashes(r, func(raw []byte) string { return "crc32=" + hex.EncodeToString(raw[:4]) })
		}, []string{info + `: 35 files that it lists: a hash of an unknown kind ("crc32"), such as `}},
		"truncated hashes": {func(r string) string {
			return rewrittenHashes(r, func(raw []byte) string { return "sha256=" + base64.RawURLEncoding.EncodeToString(raw[:9]) })
		}, []string{info + ": 35 files that it lists: a hash that is no SHA-256"}},
		"no hashes": {func(r string) string { return rewrittenHashes(r, func([]byte) string { return "" }) },
			[]string{info + ": 32 files that it lists: no hash, such as "}},
		"directories": {func(r string) string { return "a/,,\na/data,,\n" + r }, []string{info + ": it lists 2 directories, such as " + sitePath + "a: RECORD is for files alone"}},
		"a directory": {func(r string) string { return r + "a/data/,,\n" }, []string{info + ": it lists a directory, " + sitePath + "a/data"}},
		"Windows": {func(r string) string { return strings.ReplaceAll(r, "/", `\`) },
			[]string{info + `: its paths have "\" between directories, as on Windows`}},
		"byte order mark": {func(r string) string { return "\ufeff" + r }, []string{info + ": it starts with a byte order mark"}},
		"UTF-16":          {func(r string) string { return "\xff\xfe" + r }, []string{info + ": RECORD: its text is UTF-16"}},
		"different hashes for one file": {func(r string) string { return r + "a/m01.py," + sum("other") + ",6\n" },
			[]string{sitePath + "a/m01.py: different hashes in two lines in the RECORD of a-1.0"}},
		"files are gone": {func(r string) string {
			return r + strings.Join(strings.Split("nopqrstuvwxyz", ""), ".py,,\n") + ".py,,\n"
		}, []string{info + ": 13 files that it lists: not in the image, such as "}},

		"near: sha512": {func(r string) string {
			return rewrittenHashes(r, func(raw []byte) string { return "sha512=" + base64.RawURLEncoding.EncodeToString(append(raw, raw...)) })
		}, nil},
		"near: capitals":         {func(r string) string { return strings.ReplaceAll(r, ",sha256=", ",SHA256=") }, nil},
		"near: absolute paths":   {func(r string) string { return strings.ReplaceAll("\n"+r, "\na/", "\n"+sitePath+"a/")[1:] }, nil},
		"near: ./ before paths":  {func(r string) string { return strings.ReplaceAll("\n"+r, "\na/", "\n./a/")[1:] }, nil},
		"near: every line twice": {func(r string) string { return r + r }, nil},
		"near: no newline":       {func(r string) string { return strings.TrimSuffix(r, "\n") }, nil},
		"near: CRLF, spaces": {func(r string) string {
			return strings.ReplaceAll(strings.ReplaceAll(r, "\n", "\r\n"), ",sha256", ", sha256")
		}, nil},
		"near: a hash of itself":   {func(r string) string { return strings.Replace(r, "RECORD,,", "RECORD,"+sum("x")+",12", 1) }, nil},
		"near: empty lines":        {func(r string) string { return strings.ReplaceAll(r, "\n", "\n\n") }, nil},
		"near: every field quoted": {func(r string) string { return strings.ReplaceAll(r, "a/m01.py", `"a/m01.py"`) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			quoted := func(r string) string { return c.change(strings.ReplaceAll(r, "a/b,c.py,", `"a/b,c.py",`)) }
			layer := edited("a", quoted, files()...)
			got := brokenBy(t, "record", imageOf(t, cleanConfig(), cleanLayer(), layer))
			require.Len(t, got, len(c.want), strings.Join(got, "\n"))
			for i, want := range c.want {
				require.True(t, strings.HasPrefix(got[i], want), got[i])
			}
		})
	}
}
