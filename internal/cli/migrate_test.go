package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is a Git repository with a Dockerfile in a directory of it.
func repository(t *testing.T, dockerfile string) string {
	dir := t.TempDir()
	for name, text := range map[string]string{
		".git/HEAD": "", "orders/Dockerfile": dockerfile, "orders/main.py": "x\n", "orders/requirements.txt": "redis\n", "common/lib.py": "x\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

const complete = `FROM python:3.11-slim
COPY orders/requirements.txt .
RUN pip install -r requirements.txt
WORKDIR /app
COPY orders orders
COPY common common
CMD ["python", "-m", "orders.main"]
`

const want = `services:
  orders:
    base: python-base
    lock: orders/requirements.lock.txt
    source:
    - {from: orders, to: /app/orders}
    - {from: common, to: /app/common}
    command: [python, -m, orders.main]
`

// The context is found by what is copied, and paths are relative to where the file is.
func TestMigrate(t *testing.T) {
	dir := repository(t, complete)
	t.Chdir(dir)
	status, out, errOut := run(t, nil, "migrate", "orders/Dockerfile")
	require.Zero(t, status, errOut)
	require.Equal(t, want, out)
	require.Contains(t, errOut, "orders/Dockerfile:1: python:3.11-slim, which is not pinned; stands on python-base")
	require.NotContains(t, errOut, "to do")

	status, out, errOut = run(t, nil, "migrate", "orders/Dockerfile", "-o", "orders/lucidbase.yaml")
	require.Zero(t, status, errOut)
	require.Empty(t, out)
	data, err := os.ReadFile("orders/lucidbase.yaml")
	require.NoError(t, err)
	require.Contains(t, string(data), "from: ../common")
	files, err := os.ReadDir("orders")
	require.NoError(t, err)
	require.Len(t, files, 4, "something else was written")

	status, _, errOut = run(t, nil, "migrate", "orders/Dockerfile", "-o", "orders/lucidbase.yaml")
	require.Equal(t, statusUsage, status)
	require.Contains(t, errOut, "not overwritten")
	again, err := os.ReadFile("orders/lucidbase.yaml")
	require.NoError(t, err)
	require.Equal(t, data, again)
}

// What is left for a person is said, with status 3; the file is written all the same.
func TestMigrateLeft(t *testing.T) {
	t.Chdir(repository(t, complete+"STOPSIGNAL SIGINT\n"))
	status, out, errOut := run(t, nil, "migrate", "orders/Dockerfile")
	require.Equal(t, statusLeft, status)
	require.Equal(t, want, out)
	require.Contains(t, errOut, "orders/Dockerfile:8: to do: STOPSIGNAL SIGINT; ")
	require.Contains(t, errOut, "lucidbase: orders/Dockerfile: left for a person: 1, marked \"to do\"\n")
}

func TestMigrateErrors(t *testing.T) {
	dir := repository(t, "FROM python:3.11\nCODY a b\n")
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{filepath.Join(dir, "orders/Dockerfile")}, statusFailed, "Dockerfile:2: unknown instruction: CODY"},
		{[]string{filepath.Join(dir, "Dockerfile")}, statusFailed, "no such file"},
		{[]string{dir}, statusFailed, "not a file"},
		{nil, statusUsage, "accepts 1 arg"},
		{[]string{"a", "b"}, statusUsage, "accepts 1 arg"},
		{[]string{"a", "-x"}, statusUsage, "unknown shorthand flag"},
	} {
		status, out, errOut := run(t, nil, append([]string{"migrate"}, c.args...)...)
		require.Equal(t, c.status, status, errOut)
		require.Empty(t, out)
		require.Contains(t, errOut, c.says)
	}
}

func TestServiceOf(t *testing.T) {
	for file, want := range map[string]string{"/a/orders/Dockerfile": "orders", "/a/Dockerfile.gateway": "gateway", "/a/x.Dockerfile": "x", "/a/x.dockerfile": "x"} {
		require.Equal(t, want, serviceOf(file))
	}
}
