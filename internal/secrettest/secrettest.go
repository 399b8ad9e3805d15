// Package secrettest finds secrets in files, however they are written down.
package secrettest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// forms are how a secret may be written down: as it is, escaped for an address, and in
// base64, alone or in the middle of something else.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:]}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		all = append(all, enc.EncodeToString([]byte("reader:"+secret)))
		for before := range 3 {
			text := enc.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			all = append(all, text[4:len(text)-4]) // the ends depend on what is beside it
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Holding returns the files of directories that hold a secret, also in what is compressed
// there, and how many are compressed.
func Holding(t testing.TB, secrets []string, dirs ...string) (found []string, compressed int) {
	t.Helper()
	var wanted [][]byte
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			wanted = append(wanted, []byte(form))
		}
	}
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrPermission) && d.Name() == "work" {
				return fs.SkipDir // overlayfs has it closed to all but root, and nothing in it
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // whose directory it is is at work
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			require.NoError(t, err)
			inside, ok := unpacked(content)
			if ok {
				compressed++
			}
			if slices.ContainsFunc(wanted, func(form []byte) bool { return bytes.Contains(content, form) || bytes.Contains(inside, form) }) {
				found = append(found, path)
			}
			return nil
		}))
	}
	return found, compressed
}

// unpacked returns what is compressed in a file, if that is so. What cannot be read is no
// layer: it came from elsewhere as it is.
func unpacked(content []byte) (inside []byte, ok bool) {
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(content))
	case bytes.HasPrefix(content, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		r, err = zstd.NewReader(bytes.NewReader(content))
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	inside, err = io.ReadAll(r)
	return inside, err == nil
}
