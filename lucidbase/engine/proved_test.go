package engine

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The rules are known by the program that has them.
func TestRules(t *testing.T) {
	if runtime.GOOS != "linux" {
		require.Empty(t, rules())
		return
	}
	require.Regexp(t, `^[A-Za-z0-9_-]{20}/.+`, rules())
}

// A proof is of one image, one contract and one set of rules.
func TestProved(t *testing.T) {
	p := proved{dir: t.TempDir(), rules: "abc"}
	img := &image.Image{Digest: "sha256:1"}
	graphs := []graph{{platform: lucidbase.LinuxAMD64, contract: verify.Contract{Packages: map[string]string{"libc6": "2.36"}}}}
	key := p.key(img, graphs)
	require.False(t, p.has(key))
	p.add(key)
	require.True(t, p.has(key))

	other := p
	other.rules = "def"
	require.NotEqual(t, key, other.key(img, graphs))
	require.NotEqual(t, key, p.key(&image.Image{Digest: "sha256:2"}, graphs))
	waived := []graph{graphs[0]}
	waived[0].contract.Waivers = []verify.Waiver{{Rule: "link", Path: "/x", Reason: "y"}}
	require.NotEqual(t, key, p.key(img, waived))

	require.NoError(t, os.WriteFile(p.file(key), []byte("cut sho"), 0o600))
	require.False(t, p.has(key))
	unknown := proved{dir: t.TempDir()}
	unknown.add(key)
	require.False(t, unknown.has(key))
}
