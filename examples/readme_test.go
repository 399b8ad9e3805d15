// Package examples tells what is true of all examples.
package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each example is in the README and has a test; its program is at most 20 lines of its own.
func TestExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		dir := e.Name()
		if !e.IsDir() {
			continue
		}
		require.Contains(t, string(readme), "`examples/"+dir+"`")
		tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, tests, dir)
		source, err := os.ReadFile(filepath.Join(dir, "main.go"))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		_, own, _ := strings.Cut(string(source), "\n)\n")
		require.LessOrEqual(t, ownLines(own), 20, dir)
	}
}

// ownLines counts what says something: not comments, nor brackets alone, nor what is done
// after an error.
func ownLines(source string) (n int) {
	for line := range strings.Lines(source) {
		line = strings.Trim(line, " \t\n})")
		if line != "" && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "log.Fatal(err") && line != "if err != nil {" {
			n++
		}
	}
	return n
}

// The service and the program in the README are those of the examples.
func TestReadmeShowsExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	hello, err := os.ReadFile("hello/main.go")
	require.NoError(t, err)
	_, service, _ := strings.Cut(string(hello), "\nvar hello")
	service, _, _ = strings.Cut(service, "\n}\n")
	require.NotEmpty(t, service)
	require.Contains(t, string(readme), "\nvar hello"+service+"\n}\n")
}
