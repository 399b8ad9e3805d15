package names_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/names"
)

func TestNormalize(t *testing.T) {
	for name, want := range map[string]string{"pydantic": "pydantic", "Foo__Bar.-baz": "foo-bar-baz", "zope.interface": "zope-interface"} {
		require.Equal(t, want, names.Normalize(name))
		require.Regexp(t, names.Project, want)
	}
	require.NotRegexp(t, names.Project, "Foo")
}
