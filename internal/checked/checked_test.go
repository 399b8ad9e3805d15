package checked_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/checked"
)

func TestChecked(t *testing.T) {
	const text = "content"
	right := digest.FromString(text)
	for _, c := range []struct {
		name    string
		content string
		want    digest.Digest
		size    int64
		says    string
	}{
		{"right", text, right, 7, ""},
		{"of unknown size", text, right, checked.Unknown, ""},
		{"empty", "", digest.FromString(""), 0, ""},
		{"short", "conten", right, 7, "its content is 6 bytes, not 7"},
		{"other", "kontent", right, 7, "its content is " + digest.FromString("kontent").String() + ", not " + right.String()},
		{"other of unknown size", "c", right, checked.Unknown, "its content is " + digest.FromString("c").String() + ", not " + right.String()},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o644))
			var out bytes.Buffer
			for how, err := range map[string]error{
				"file":  checked.File(t.Context(), path, c.want, c.size),
				"bytes": checked.Bytes([]byte(c.content), c.want, c.size),
				"copy":  checked.Copy(&out, strings.NewReader(c.content), c.want, c.size),
			} {
				if c.says == "" {
					require.NoError(t, err, how)
					continue
				}
				require.EqualError(t, err, c.says, how)
				require.ErrorAs(t, err, new(*checked.Error), how)
			}
			require.Equal(t, c.content, out.String())
		})
	}
}

// What never ends is not read to its end.
func TestCopyOfMore(t *testing.T) {
	var out bytes.Buffer
	err := checked.Copy(&out, strings.NewReader(strings.Repeat("a", 100)), digest.FromString("aaa"), 3)
	require.EqualError(t, err, "its content is more than 3 bytes")
	require.Equal(t, 4, out.Len())
}

func TestCopyThatFails(t *testing.T) {
	err := checked.Copy(&bytes.Buffer{}, iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("content"))), digest.FromString("content"), 7)
	require.ErrorIs(t, err, iotest.ErrTimeout)
	require.NotErrorAs(t, err, new(*checked.Error))
	require.Error(t, checked.Copy(&bytes.Buffer{}, strings.NewReader(""), "sha256:short", 0))
}

func TestFileIsCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, checked.File(ctx, path, digest.FromString("x"), 1), context.Canceled)
	require.ErrorIs(t, checked.File(t.Context(), path+"-missing", digest.FromString("x"), 1), os.ErrNotExist)
}
