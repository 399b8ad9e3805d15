package verify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The rules' own lists judge single names and texts, too.
func TestJudge(t *testing.T) {
	key := strings.ReplaceAll("-----BEGIN _-----\nMIIEowIBAAKCAQEAx1Zb3Q9uL5r7pKq2\n-----END _-----\n", "_", "PRIVATE KEY")
	require.NotEmpty(t, verify.SecretFile("/app/.env", nil))
	require.NotEmpty(t, verify.SecretFile("/app/server.pem", []byte(key)))
	require.Empty(t, verify.SecretFile("/app/.env.example", nil))
	require.Empty(t, verify.SecretFile("/app/main.py", []byte("print(1)\n")))
	require.True(t, verify.SecretName("DB_PASSWORD"))
	require.False(t, verify.SecretName("DB_PASSWORD_FILE"))
	require.NotEmpty(t, verify.SecretValue("postgres://bot:hunter22x@db/bot"))
	require.Empty(t, verify.SecretValue("postgres://db/bot"))
	require.True(t, verify.ShellName("/bin/busybox"))
	require.False(t, verify.ShellName("/usr/bin/python3.11"))
}
