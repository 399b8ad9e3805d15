package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Emulator runs programs of another architecture.
type Emulator struct {
	Program string // of the package qemu-user-static
	Handler string // the name under which distributions register it
	machine byte   // e_machine of the ELF header, its lower byte
}

// Emulators are those of the architectures that images are for.
var Emulators = map[string]Emulator{
	"amd64": {"qemu-x86_64-static", "qemu-x86_64", 0x3e},
	"arm64": {"qemu-aarch64-static", "qemu-aarch64", 0xb7},
}

// findEmulator returns the path of the program that a sandbox registers for an
// architecture: empty where the machine runs it without.
func findEmulator(arch string) (string, error) {
	if arch == runtime.GOARCH || Emulators[arch].Registered() {
		return "", nil
	}
	e, known := Emulators[arch]
	if !known {
		return "", fmt.Errorf("an image for %s: %w on %s", arch, ErrCannotRun, runtime.GOARCH)
	}
	program, err := exec.LookPath(e.Program)
	if err != nil {
		return "", fmt.Errorf("an image for %s: %w: binfmt_misc has no handler for it that opens its program at once (flag F), and %s is not on PATH: install it (apt-get install qemu-user-static)",
			arch, ErrCannotRun, e.Program)
	}
	return program, nil
}

// Registered reports whether this machine runs programs by the emulator in any root
// directory: without the flag F, the kernel looks for it in the image.
func (e Emulator) Registered() bool {
	status, err := os.ReadFile(filepath.Join("/proc/sys/fs/binfmt_misc", e.Handler))
	if err != nil || !strings.HasPrefix(string(status), "enabled") {
		return false
	}
	_, flags, _ := strings.Cut(string(status), "flags:")
	line, _, _ := strings.Cut(flags, "\n")
	return strings.Contains(line, "F")
}

// register registers a program in this user namespace's own binfmt_misc.
func register(arch, program, mount string) error {
	if err := os.MkdirAll(mount, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("binfmt_misc", mount, "binfmt_misc", 0, ""); err != nil {
		return fmt.Errorf("emulating %s: mounting binfmt_misc (Linux 6.7, or a handler for this machine, is needed): %w", arch, err)
	}
	if err := os.WriteFile(filepath.Join(mount, "register"), []byte(Emulators[arch].Registration(program)), 0o200); err != nil {
		return fmt.Errorf("emulating %s: registering %s: %w", arch, program, err)
	}
	return nil
}

// Registration returns a line of the kernel's admin-guide/binfmt-misc: a 64-bit
// little-endian ELF file, executable (2) or shared (3), of the machine. F opens the
// emulator now, from outside the container.
func (e Emulator) Registration(program string) string {
	magic := fmt.Sprintf(`\x7fELF\x02\x01\x01%s\x02\x00\x%02x\x00`, strings.Repeat(`\x00`, 9), e.machine)
	mask := strings.Repeat(`\xff`, 7) + `\x00` + strings.Repeat(`\xff`, 8) + `\xfe\xff\xff\xff`
	return fmt.Sprintf(":%s:M::%s:%s:%s:F", e.Handler, magic, mask, program)
}
