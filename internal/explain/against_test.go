package explain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
)

func TestAgainst(t *testing.T) {
	p, err := explain.Read("r.txt", func(string) ([]byte, error) {
		return []byte("httpx\nbcrypt==5.0.0  # newer\nold-web==1\n"), nil
	}, func(string) string { return "" })
	require.NoError(t, err)
	require.Equal(t, "r.txt: line 2: bcrypt==5.0.0; you require bcrypt<4.1 and bcrypt==5.0.0",
		p.Against("error: No solution found when resolving dependencies\n  cause: Because you require bcrypt<4.1 and bcrypt==5.0.0, we can conclude that your\n      requirements are unsatisfiable.\n"))
	require.Equal(t, "r.txt: line 3: old-web==1; old-web==1 depends on redis<3",
		p.Against("error: No solution found\n  cause: Because old-web==1 depends on redis<3 and you require redis>=5, we can conclude that your requirements and old-web==1 are incompatible."))
}
