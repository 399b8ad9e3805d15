package file_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/file"
)

// A list is found beside its lock, which need not be there.
func TestLists(t *testing.T) {
	fsys := tree(`
defaults: {base: python, lock: shared.lock.txt}
services:
  a: {}
  b: {base: python-base}
  c: {lock: ../c/own.lock.txt, base: alpine}
  d: {lock: plain.lock.txt, base: bare}
  e: {system: [tini, libpq5]}
  f: {system: []}
`)
	for _, name := range []string{"app/shared.in", "app/shared.txt", "c/own.txt"} {
		fsys[name] = fsys["app/plain.txt"]
	}
	lists, err := file.Reader{FS: fsys, Name: "app/lucidbase.yaml"}.Lists()
	require.NoError(t, err)
	require.Equal(t, []file.List{
		{Name: "app/shared.in", Lock: "app/shared.lock.txt", Base: "python"},
		{Name: "c/own.txt", Lock: "c/own.lock.txt", Base: "alpine"},
		{Name: "app/plain.txt", Lock: "app/plain.lock.txt", Base: "bare"},
		{Lock: "app/e.system.lock.json", System: []string{"libpq5", "tini"}},
	}, lists)
}

func TestListErrors(t *testing.T) {
	for text, want := range map[string]string{
		"services: {a: {}}":                                                                 "f.yaml:1:11: no service has a lock",
		"services: {a: {lock: plain.lock.txt}}":                                             "f.yaml:1:15: no base, which its list is locked with",
		"services: {a: {base: bare, lock: x/none.lock.txt}}":                                "f.yaml:1:34: no list to lock: neither x/none.in nor x/none.txt",
		"services: {a: {base: bare, lock: plain.txt}}":                                      `f.yaml:1:34: "plain.txt" is not NAME.lock.txt, whose list is NAME.in or NAME.txt`,
		"defaults: {system: [tini]}\nservices: {lucidbase: {system: [libpq5]}}":             "f.yaml:2:32: lucidbase.system.lock.json is the lock of what defaults has: give the service or the file another name",
		"services: {a: {lok: plain.txt}}":                                                   `f.yaml:1:16: unknown key "lok"; did you mean lock?`,
		"defaults: {lock: plain.lock.txt}\nservices:\n  a: {base: bare}\n  b: {base: base}": "f.yaml:4:13: plain.lock.txt is locked with bare on line 3, and with base here",
	} {
		_, err := file.Reader{FS: tree(text), Name: "app/lucidbase.yaml", Shown: "f.yaml"}.Lists()
		require.EqualError(t, err, want, "%s", strings.TrimSpace(text))
	}
}
