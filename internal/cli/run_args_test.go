package cli

import (
	"os"
	"path/filepath"
	"testing"

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
