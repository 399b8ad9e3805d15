package resolve

import (
	"encoding/base64"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackagesIndex(t *testing.T) {
	const name = "main/binary-arm64/Packages"
	rel := release{files: map[string]indexFile{}}
	_, err := rel.packagesIndex("arm64")
	require.EqualError(t, err, "InRelease lists no "+name)
	for _, ext := range []string{"", ".xz", ".gz"} { // from the last choice to the first
		rel.files[name+ext] = indexFile{path: name + ext}
		f, err := rel.packagesIndex("arm64")
		require.NoError(t, err)
		require.Equal(t, name+ext, f.path)
	}
}

func TestUnpack(t *testing.T) {
	const text = "Package: a\n"
	// printf 'Package: a\n' | xz | base64
	xz, err := base64.StdEncoding.DecodeString("/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAKUGFja2FnZTogYQoAAH27YeIOsM7uAAEjC8Ib/QkftvN9AQAAAAAEWVo=")
	require.NoError(t, err)
	for name, packed := range map[string][]byte{"Packages": []byte(text), "Packages.gz": pack(t, text), "Packages.xz": xz} {
		r, err := unpack(name, packed)
		require.NoError(t, err, name)
		plain, err := io.ReadAll(r)
		require.NoError(t, err, name)
		require.Equal(t, text, string(plain), name)
	}
	r, err := unpack("Packages.gz", pack(t, text)[:20])
	require.NoError(t, err)
	_, err = readPackages(r, nil, "amd64")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
