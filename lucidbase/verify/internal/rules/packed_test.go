package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

func TestPacked(t *testing.T) {
	upx := func(f *scan.File) {
		if f.Path == "/app/tool" {
			f.Program = "upx"
		}
	}
	require.Equal(t, []string{"/app/tool"}, checkWith(t, "packed", upx, program("/app/tool", tinyELF(0x3e))))
	require.Empty(t, checkWith(t, "packed", upx, program("/app/upx", tinyELF(0x3e))))
}
