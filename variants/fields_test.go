package variants_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/require"
)

// The compiler keeps the base images' fields the same; their comments are, too.
func TestFieldsSayTheSame(t *testing.T) {
	comments := map[string][]string{}
	for _, file := range []string{"variants.go", "alpine.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				comments[spec.Name.Name] = append(comments[spec.Name.Name], f.Names[0].Name+": "+f.Comment.Text())
			}
			return true
		})
	}
	require.Len(t, comments, 4)
	for name, fields := range comments {
		require.Len(t, fields, 6, name)
		require.Equal(t, comments["Python"], fields, name)
	}
}
