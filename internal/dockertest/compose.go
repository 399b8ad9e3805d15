//go:build linux

package dockertest

import "testing"

// composeVersion is of the module github.com/docker/compose/v5: what "docker compose" is
// today. Debian's docker-compose is version 1, which is written in Python.
const composeVersion = "v5.6.0"

// Compose returns the program, which works without a daemon where it only reads files.
func Compose(t testing.TB) string {
	t.Helper()
	return installed(t, "github.com/docker/compose/v5/cmd", composeVersion)
}
