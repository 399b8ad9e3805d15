//go:build linux

package e2e

import (
	"os"
	"testing"
)

// needLong skips a test that takes many minutes unless it is asked for: make test-long.
func needLong(t *testing.T) {
	t.Helper()
	if os.Getenv("LUCID_TEST_LONG") != "1" {
		t.Skip("takes many minutes: run make test-long, which sets LUCID_TEST_LONG=1")
	}
}
