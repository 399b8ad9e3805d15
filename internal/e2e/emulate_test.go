//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// emulator runs programs of another architecture. It is used to run finished
// images, never to build them.
type emulator struct {
	program string // of the package qemu-user-static
	handler string // the name under which distributions register it
	machine byte   // e_machine of the ELF header, its lower byte
}

var emulators = map[string]emulator{
	"amd64": {"qemu-x86_64-static", "qemu-x86_64", 0x3e},
	"arm64": {"qemu-aarch64-static", "qemu-aarch64", 0xb7},
}

// hasHandler reports whether this machine already runs programs of arch.
func hasHandler(arch string) bool {
	status, err := os.ReadFile("/proc/sys/fs/binfmt_misc/" + emulators[arch].handler)
	return err == nil && strings.HasPrefix(string(status), "enabled")
}

// emulateEnv makes this test binary register the program it names and become
// the command in its arguments; mountEnv is where it mounts binfmt_misc.
const (
	emulateEnv = "LUCID_E2E_EMULATE"
	mountEnv   = "LUCID_E2E_BINFMT"
)

func TestMain(m *testing.M) {
	if arch := os.Getenv(emulateEnv); arch != "" {
		fmt.Fprintln(os.Stderr, becomeEmulated(arch, os.Getenv(mountEnv), os.Args[1:]))
		os.Exit(125)
	}
	status := m.Run()
	if used := shareMade.Load(); used {
		makeShared().remove()
	}
	os.Exit(status)
}

// emulated returns the same command in a user namespace of its own. Since Linux
// 6.7 a user namespace has its own binfmt_misc, so the handler is seen by this
// command alone and is gone with it: no build that runs meanwhile can use it.
func emulated(t *testing.T, cmd *exec.Cmd, arch string) *exec.Cmd {
	t.Helper()
	mount := filepath.Join(t.TempDir(), "binfmt")
	require.NoError(t, os.Mkdir(mount, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	cmd.Path, cmd.Args = self, append([]string{self}, cmd.Args...)
	cmd.Env = append(os.Environ(), emulateEnv+"="+arch, mountEnv+"="+mount)
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 17}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings:                all,
		GidMappings:                all,
		GidMappingsEnableSetgroups: true,
	}
	return cmd
}

// becomeEmulated returns only when it fails.
func becomeEmulated(arch, mount string, args []string) error {
	e := emulators[arch]
	program, err := exec.LookPath(e.program)
	if err != nil {
		return fmt.Errorf("emulating %s: %w", arch, err)
	}
	if err := syscall.Mount("binfmt_misc", mount, "binfmt_misc", 0, ""); err != nil {
		return fmt.Errorf("emulating %s: mounting binfmt_misc (Linux 6.7, or a handler for this machine, is needed): %w", arch, err)
	}
	if err := os.WriteFile(filepath.Join(mount, "register"), []byte(e.registration(program)), 0o200); err != nil {
		return fmt.Errorf("emulating %s: registering %s: %w", arch, program, err)
	}
	command, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("emulating %s: %w", arch, err)
	}
	os.Unsetenv(emulateEnv)
	return fmt.Errorf("emulating %s: starting %s: %w", arch, command, syscall.Exec(command, args, os.Environ()))
}

// registration is a line of the kernel's admin-guide/binfmt-misc: a 64-bit
// little-endian ELF file, executable (2) or shared (3), of the machine. F opens
// the emulator now, from outside the container.
func (e emulator) registration(program string) string {
	magic := fmt.Sprintf(`\x7fELF\x02\x01\x01%s\x02\x00\x%02x\x00`, strings.Repeat(`\x00`, 9), e.machine)
	mask := strings.Repeat(`\xff`, 7) + `\x00` + strings.Repeat(`\xff`, 8) + `\xfe\xff\xff\xff`
	return fmt.Sprintf(":%s:M::%s:%s:%s:F", e.handler, magic, mask, program)
}
