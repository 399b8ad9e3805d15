package sandbox

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListening(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532        0 1
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65532        0 2
   2: 0100580A:1F40 0200580A:B0C4 01 00000000:00000000 00:00000000 00000000 65532        0 3
   3: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4
   4: nonsense:x 0 0A
`
	require.Equal(t, []string{"127.0.0.1:8000", "0.0.0.0:80", "[::1]:8001"}, Listening(strings.NewReader(table)))
}

func TestFilesNameEverybody(t *testing.T) {
	n := networks{names: []string{"api", "redis"}}
	files := n.files("api")
	require.Equal(t, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.88.0.1\tapi\n10.88.0.2\tredis\n", files["/etc/hosts"])
	require.Equal(t, "api\n", files["/etc/hostname"])
	require.Empty(t, files["/etc/resolv.conf"])
}

func TestRegistration(t *testing.T) {
	require.Equal(t, `:qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:`+
		`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu:F`,
		Emulators["arm64"].Registration("/usr/bin/qemu"))
	_, err := findEmulator("riscv64")
	require.ErrorIs(t, err, ErrCannotRun)
}
