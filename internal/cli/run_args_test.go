package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

func TestContainerEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(file, []byte("# no\n\nA=1\r\nB=a=b #c\nHERE\nABSENT\n"), 0o600))
	r := runFlags{envFiles: []string{file}, env: []string{"A=2", "C="}}
	env, err := r.environment(func(name string) string { return map[string]string{"HERE": "x"}[name] })
	require.NoError(t, err)
	require.Equal(t, []string{"A=2", "B=a=b #c", "C=", "HERE=x"}, env)

	require.NoError(t, os.WriteFile(file, []byte("A=1\nexport B=2\n"), 0o600))
	_, err = r.environment(os.Getenv)
	require.ErrorContains(t, err, `line 2: "export B" is no variable's name`)
	require.ErrorIs(t, err, errUsage)
}

// The platform that is asked for is run, or none.
func TestChoose(t *testing.T) {
	index := func(architectures ...string) v1.ImageIndex {
		var all []mutate.IndexAddendum
		for _, a := range architectures {
			img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: a})
			require.NoError(t, err)
			all = append(all, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: a}}})
		}
		return mutate.AppendManifests(empty.Index, all...)
	}
	for _, c := range []struct {
		platform   string
		has        []string
		want, says string
	}{
		{"", []string{"riscv64", "amd64", "arm64"}, runtime.GOARCH, ""},
		{"", []string{"riscv64"}, "riscv64", ""},
		{"linux/amd64", []string{"arm64", "amd64"}, "amd64", ""},
		{"linux/arm64", []string{"amd64", "arm64"}, "arm64", ""},
		{"linux/arm64", []string{"amd64", "riscv64"}, "", "it has no image for linux/arm64, but for linux/amd64, linux/riscv64"},
	} {
		r := &runFlags{platform: c.platform}
		require.NoError(t, r.setTarget())
		img, err := r.choose(index(c.has...))
		if c.says != "" {
			require.EqualError(t, err, c.says)
			continue
		}
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, c.want, config.Architecture)
	}
	status, _, errOut := run(t, nil, "run", "--platform", "arm", "bare-base")
	require.Equal(t, statusUsage, status)
	require.Contains(t, errOut, `--platform: platform "arm": not one of linux/amd64, linux/arm64`)
}
