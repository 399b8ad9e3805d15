package secrettest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/secrettest"
)

// The search finds what is planted.
func TestHolding(t *testing.T) {
	dir := t.TempDir()
	basic := []byte("Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("reader:Good+x/17=a%b")))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(basic)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, content := range map[string][]byte{"basic": basic, "packed": packed.Bytes(), "address": []byte("http://reader:Good+x%2F17=a%25b@host/"), "other": []byte("Good")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	found, compressed := secrettest.Holding(t, []string{"Good+x/17=a%b"}, dir)
	require.Equal(t, []string{filepath.Join(dir, "address"), filepath.Join(dir, "basic"), filepath.Join(dir, "packed")}, found)
	require.Equal(t, 1, compressed)
}
