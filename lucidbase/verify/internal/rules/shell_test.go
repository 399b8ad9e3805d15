package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

func TestShell(t *testing.T) {
	sh := program("/usr/bin/sh", "no real one, but called so")
	testRule(t, "shell", []breach{
		{name: "clean"},
		{name: "by name", layers: one(sh), want: []string{"/usr/bin/sh"}},
		{name: "with a suffix", layers: one(program("/opt/tools/busybox-1.36.1", "b")), want: []string{"/opt/tools/busybox-1.36.1"}},
		{name: "off PATH", layers: one(program("/srv/x/bash", "b")), want: []string{"/srv/x/bash"}},
		{name: "an ELF file that is not executable", layers: one(file("/srv/dash", tinyELF(0x3e))), want: []string{"/srv/dash"}},
		{name: "links", layers: one(sh, link("/usr/bin/ls", "sh"), link("/app/run", "/usr/bin/ls")), want: []string{"/app/run", "/usr/bin/ls", "/usr/bin/sh"}},
		{name: "a hard link", layers: one(sh, hardlink("/app/start", "/usr/bin/sh")), want: []string{"/app/start", "/usr/bin/sh"}},
		{name: "a copy", layers: one(program("/usr/bin/sh", strings.Repeat("s", overlay.MinCopy)), program("/app/start", strings.Repeat("s", overlay.MinCopy))), want: []string{"/app/start", "/usr/bin/sh"}},
		{name: "a link that leads nowhere yet", layers: one(link("/usr/bin/sh", "dash")), want: []string{"/usr/bin/sh"}},
		{name: "deleted later", layers: [][]tarEntry{{sh}, {whiteout("/usr/bin/sh")}}, want: []string{"/usr/bin/sh"}},
		{name: "deleted later with a link", layers: [][]tarEntry{{sh, link("/app/run", "/usr/bin/sh")}, {whiteout("/usr/bin/sh"), whiteout("/app/run")}}, want: []string{"/app/run", "/usr/bin/sh"}},
		{name: "replaced later", layers: [][]tarEntry{{program("/app/bash", "b")}, {file("/app/bash", "text")}}, want: []string{"/app/bash"}},
		{name: "through a linked directory", layers: one(link("/bin", "usr/bin"), program("/bin/ash", "a")), want: []string{"/bin/ash"}},
		{name: "rc in a directory of programs", layers: one(program("/usr/bin/rc", "r")), want: []string{"/usr/bin/rc"}},

		{name: "near: stand-ins of the same content", layers: one(sh, program("/app/start", "no real one, but called so")), want: []string{"/usr/bin/sh"}},
		{name: "near: text called sh", layers: one(file("/usr/share/doc/dash/sh", "how to"), program("/usr/share/doc/x/bash", "how to"))},
		{name: "near: directories", layers: one(dir("/opt/bash"), dir("/usr/share/zsh"), link("/opt/sh", "bash"))},
		{name: "near: completions", layers: one(file("/usr/share/bash-completion/bash_completion", "c"), program("/etc/profile.d/bash_completion.sh", "c"))},
		{name: "near: modules and libraries", layers: one(program("/app/sh.py", "s"), program("/usr/lib/libbash.so", tinyELF(0x3e)), program("/app/shlex", "s"))},
		{name: "near: rc elsewhere", layers: one(program("/etc/init.d/rc", "r"))},
		{name: "near: a link to a shell that is not there, by another name", layers: one(link("/usr/bin/ls", "/bin/busybox"))},
	})
}

func TestShellByContent(t *testing.T) {
	busybox := func(f *scan.File) {
		if f.Kind == scan.Regular && f.Size == 3 {
			f.Program = "busybox"
		}
	}
	require.Equal(t, []string{"/app/start", "/usr/bin/ls"},
		checkWith(t, "shell", busybox, program("/usr/bin/ls", "abc"), link("/app/start", "/usr/bin/ls"), program("/app/other", "abcd")))
	require.Equal(t, []string{"/app/data.bin"}, checkWith(t, "shell", busybox, file("/app/data.bin", "abc")))
}
