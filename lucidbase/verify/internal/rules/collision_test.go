package rules_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// overLine is the line of the file that is fought over.
var overLine = regexp.MustCompile(`fought/over\.py,[^\n]*`)

// sumOf is a hash as RECORD has it.
func sumOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// bare takes the hash away.
func bare(record string) string { return overLine.ReplaceAllString(record, "fought/over.py,,") }

func TestCollision(t *testing.T) {
	site := strings.TrimSuffix(sitePath, "/")
	wheel := func(name, version string, files ...tarEntry) []tarEntry {
		return distribution(site, name, version, files...)
	}
	over := func(body string) tarEntry { return file("fought/over.py", body) }
	a, b := wheel("a", "1.0", over("A = 1\n")), wheel("b", "2.0", over("B = 1\n"))
	script := func(name, body string) []tarEntry {
		return edited(name, func(s string) string { return s + "../../../bin/tool,sha256=" + sumOf(body) + ",\n" })
	}
	testRule(t, "collision", []breach{
		{name: "in one layer", layers: one(append(a, b...)...), want: []string{sitePath + "fought/over.py"}},
		{name: "in two layers", layers: [][]tarEntry{a, b}, want: []string{sitePath + "fought/over.py"}},
		{name: "of a layer that is hidden", layers: [][]tarEntry{b, a}, want: []string{sitePath + "fought/over.py"}},
		{name: "neither's content", layers: [][]tarEntry{a, b, {file(sitePath+"fought/over.py", "C = 1\n")}}, want: []string{sitePath + "fought/over.py"}},
		{name: "at the top", layers: [][]tarEntry{wheel("a", "1.0", file("LICENSE", "A\n")), wheel("b", "1.0", file("LICENSE", "B\n"))}, want: []string{sitePath + "LICENSE"}},
		{name: "empty and not", layers: [][]tarEntry{wheel("a", "1.0", file("tests/__init__.py", "")), wheel("b", "1.0", file("tests/__init__.py", "B = 1\n"))}, want: []string{sitePath + "tests/__init__.py"}},
		{name: "scripts", layers: [][]tarEntry{script("a", "a"), script("b", "b"), {program("/opt/venv/bin/tool", "b")}}, want: []string{"/opt/venv/bin/tool"}},
		{name: "a package and more", layers: [][]tarEntry{
			wheel("a", "1.0", over("A = 1\n"), file("fought/sub/x.py", "A = 1\n"), file("README", "A\n")),
			wheel("b", "1.0", over("B = 1\n"), file("fought/sub/x.py", "B = 1\n"), file("README", "B\n")),
		}, want: []string{sitePath + "README", sitePath + "fought"}},

		{name: "the same content", layers: [][]tarEntry{a, wheel("b", "1.0", over("A = 1\n"))}},
		{name: "empty tests", layers: [][]tarEntry{wheel("a", "1.0", file("tests/__init__.py", "")), wheel("b", "1.0", file("tests/__init__.py", ""))}},
		{name: "padded, standard base64", layers: [][]tarEntry{a, edited("b", func(s string) string {
			return s + "fought/over.py,SHA256=" + strings.NewReplacer("-", "+", "_", "/").Replace(sumOf("A = 1\n")) + "=,\n"
		})}},
		{name: "no hash", layers: [][]tarEntry{edited("b", bare, over("B = 1\n")), a}},
		{name: "another hash", layers: [][]tarEntry{a, edited("b", func(s string) string { return s + "fought/over.py,sha512=abc,\n" })}},
		{name: "two versions of one", layers: [][]tarEntry{a, wheel("A", "2.0", over("B = 1\n"))}}, // the rule duplicate's
		{name: "bytecode", layers: [][]tarEntry{
			wheel("a", "1.0", file("x.py", ""), file("__pycache__/x.cpython-311.pyc", "a")), wheel("b", "1.0", file("x.py", ""), file("__pycache__/x.cpython-311.pyc", "b")),
		}},
		{name: "deleted", layers: [][]tarEntry{a, b, {whiteout(sitePath + "fought/over.py")}}},
		{name: "one is deleted", layers: [][]tarEntry{a, b, {whiteout(sitePath + "a-1.0.dist-info")}}},
		{name: "Debian's", layers: [][]tarEntry{edited("a", func(s string) string { return s + "/etc/x,sha256=" + sumOf("a") + ",\n" }),
			append(edited("b", func(s string) string { return s + "/etc/x,sha256=" + sumOf("b") + ",\n" }), file(sitePath+"b-1.0.dist-info/INSTALLER", "debian\n"), file("/etc/x", "b"))}},
	})
}

// Both are named, and whose the file is. No other rule says so again.
func TestCollisionIsOneFinding(t *testing.T) {
	site := strings.TrimSuffix(sitePath, "/")
	many := func(name string) (files []tarEntry) {
		for _, module := range strings.Split("abcdefghijklmno", "") {
			files = append(files, file("fought/"+module+".py", "NAME = '"+name+"'\n"))
		}
		return files
	}
	for _, c := range []struct {
		layers [][]tarEntry
		want   []string
	}{
		{
			[][]tarEntry{distribution(site, "a", "1.0", many("a")[0]), distribution(site, "b", "2.0", many("b")[0])},
			[]string{"collision: " + sitePath + "fought/a.py: a-1.0 and b-2.0 install it with different content; it is that of b-2.0"},
		},
		{
			[][]tarEntry{distribution(site, "b", "2.0", many("b")...), distribution(site, "a", "1.0", many("a")...), distribution(site, "c", "1.0", many("b")...)},
			[]string{"collision: " + sitePath + "fought: a-1.0, b-2.0 and c-1.0 install 15 files with different content, such as " + sitePath + "fought/a.py; it is that of b-2.0"},
		},
		{
			[][]tarEntry{distribution(site, "a", "1.0", many("a")[0]), distribution(site, "b", "2.0", many("b")[0]), {file(sitePath+"fought/a.py", "changed")}},
			[]string{
				"record: " + sitePath + "fought/a.py: its content is not what its hash says in the RECORD of a-1.0; b-2.0 lists it too",
				"record: " + sitePath + "fought/a.py: its content is not what its hash says in the RECORD of b-2.0; a-1.0 lists it too",
				"collision: " + sitePath + "fought/a.py: a-1.0 and b-2.0 install it with different content",
			},
		},
		{ // what has no hash may be b's own
			[][]tarEntry{distribution(site, "a", "1.0", file("fought/over.py", "A = 1\n")), edited("b", bare, file("fought/over.py", "B = 1\n"))},
			[]string{
				"record: " + sitePath + "fought/over.py: its content is not what its hash says in the RECORD of a-1.0; b-1.0 lists it too",
				"record: " + sitePath + "fought/over.py: no hash in the RECORD of b-1.0",
			},
		},
	} {
		var got []string
		for _, f := range findings(t, imageOf(t, cleanConfig(), append([][]tarEntry{cleanLayer()}, c.layers...)...), verify.Contract{}) {
			got = append(got, f.Rule+": "+f.Path+": "+f.Found)
		}
		require.Equal(t, c.want, got)
	}
}

func TestCollisionIsWaived(t *testing.T) {
	site := strings.TrimSuffix(sitePath, "/")
	img := imageOf(t, cleanConfig(), cleanLayer(), distribution(site, "a", "1.0", file("LICENSE", "A\n")), distribution(site, "b", "1.0", file("LICENSE", "B\n")))
	w := verify.Waiver{Rule: "collision", Path: sitePath + "LICENSE", Reason: "a licence is not read"}
	r, err := verify.Image(t.Context(), img, verify.Contract{Waivers: []verify.Waiver{w}}, nil)
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Len(t, r.Waived, 1)
}
