package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func project(t *testing.T, text string) *Project {
	t.Helper()
	p, err := Read("r.txt", func(string) ([]byte, error) { return []byte(text), nil }, nil)
	require.NoError(t, err)
	return p
}

// What "pip freeze" writes of the environment is left out of its own lists alone: a
// person who asks for it means it.
func TestLeftovers(t *testing.T) {
	for text, want := range map[string][]string{
		"flask==3.0.0\npip==23.0.1\nSetuptools==65.5.0\nwheel==0.40\npkg_resources==0.0.0\n": {"pip", "pkg-resources", "setuptools", "wheel"},
		"# a list\nflask==3.0.0 ; python_version > '3'\npip==23.0.1\n":                       {"pip"},
		"flask==3.0.0\npip==23.0.1\nwheel==0.40 ; python_version < '3.8'\n":                  {"pip"},
		"flask==3.0.0\n":              nil,
		"flask>=3.0.0\npip==23.0.1\n": nil,
		"flask==3.0.*\npip==23.0.1\n": nil,
		"flask==3.0.0\nsetuptools\n":  nil,
		"pip==23.0.1\n":               nil,
		"":                            nil,
	} {
		require.Equal(t, want, project(t, text).Leftovers(), text)
	}
}

func TestWrittenAndAt(t *testing.T) {
	p := project(t, "\nUvicorn[standard]==0.24 # web\nuvicorn[x,standard]\nold==1 ; python_version < '3'\nzope.interface\n")
	require.Equal(t, map[string]string{"uvicorn": "uvicorn[standard,x]", "zope-interface": "zope-interface"}, p.Written())
	require.Equal(t, "r.txt: line 2: Uvicorn[standard]==0.24", p.At("uvicorn"))
	require.Empty(t, p.At("old"))
}
