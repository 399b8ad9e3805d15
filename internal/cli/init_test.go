package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Orders")
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("pyproject.toml", "[project]\ndependencies = ['fastapi']\n")
	write("orders/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")

	status, out, errOut := run(t, nil, "init", dir)
	require.Zero(t, status, errOut)
	require.Equal(t, dir+"/lucidbase.yaml\n"+dir+"/requirements.in\n", out)
	require.Contains(t, errOut, "lucidbase: framework fastapi: orders/main.py makes app\n")
	require.Contains(t, errOut, "lucidbase: port 8000: nothing says another\n")
	status, _, errOut = run(t, nil, "graph", "-f", filepath.Join(dir, "lucidbase.yaml"), "orders")
	require.Equal(t, statusFailed, status)
	require.Contains(t, errOut, "lock -f")

	before, err := os.ReadFile(filepath.Join(dir, "lucidbase.yaml"))
	require.NoError(t, err)
	status, out, errOut = run(t, nil, "init", dir)
	require.Equal(t, statusFailed, status)
	require.Empty(t, out)
	require.Contains(t, errOut, "lucidbase.yaml is there already")
	after, err := os.ReadFile(filepath.Join(dir, "lucidbase.yaml"))
	require.NoError(t, err)
	require.Equal(t, before, after)

	status, out, errOut = run(t, nil, "init", "--go", dir)
	require.Zero(t, status, errOut)
	require.Equal(t, dir+"/main.go\n", out)
	require.Contains(t, errOut, "lucidbase lock -r requirements.in --base python-base, and go run . build")

	status, _, errOut = run(t, nil, "init", t.TempDir())
	require.Equal(t, statusFailed, status)
	require.Contains(t, errOut, "neither requirements.txt")
}
