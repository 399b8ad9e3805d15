package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

// childName is the command line of a process that shows, by its start, that namespaces
// can be made.
const childName = "lucidbase-doctor"

func init() {
	if len(os.Args) == 1 && os.Args[0] == childName {
		os.Exit(0)
	}
}

// systemChecks are of what steps need that run on this machine.
func systemChecks() []check {
	return []check{
		{"kernel", (*Machine).kernel},
		{"runc", (*Machine).runc},
		{"namespaces", (*Machine).namespaces},
		{"cgroups", (*Machine).cgroups},
		{"memory", (*Machine).memory},
		{"qemu", (*Machine).qemu},
	}
}

// elsewhere is the finding about what another machine's BuildKit has.
var elsewhere = ok("not needed: the engine is another one")

func (m *Machine) kernel(context.Context) Finding {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return bad("uname: "+err.Error(), "run it on Linux")
	}
	return kernelOf(unix.ByteSliceToString(u.Release[:]))
}

func kernelOf(release string) Finding {
	var major, minor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	if err != nil || major < 5 || major == 5 && minor < 11 {
		return note("Linux "+release, "run and lucidtest, and builds without root, want Linux 5.11: overlayfs in a user namespace")
	}
	return ok("Linux " + release)
}

func (m *Machine) runc(ctx context.Context) Finding {
	if !m.Embedded {
		return elsewhere
	}
	path, err := reexec.FindRunc(os.Geteuid() != 0)
	if err != nil {
		return advised(err)
	}
	out, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if err != nil {
		return bad(path+" --version: "+oneLine(err.Error()+" "+string(line)), "install runc anew")
	}
	return ok(string(line) + ", " + path)
}

// advised is an error whose text says what to do, after its last colon.
func advised(err error) Finding {
	text := oneLine(err.Error())
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return bad(text[:i], text[i+2:])
	}
	return bad(text, "run as root")
}

func (m *Machine) namespaces(ctx context.Context) Finding {
	if !m.Embedded {
		return elsewhere
	}
	maps, err := reexec.IDMaps()
	if err != nil {
		return advised(err)
	}
	flags := uintptr(unix.CLONE_NEWNS | unix.CLONE_NEWPID)
	found := "as root"
	if os.Geteuid() != 0 {
		flags |= unix.CLONE_NEWUSER
		found = "as a user with subordinate ids"
	}
	child := exec.CommandContext(ctx, "/proc/self/exe")
	child.Args = []string{childName}
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if len(maps) > 0 {
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	if err := child.Run(); err != nil {
		return bad("cannot be made: "+err.Error(), reexec.NeedsUserns)
	}
	return ok(found)
}

func (m *Machine) cgroups(context.Context) Finding {
	if !m.Embedded {
		return elsewhere
	}
	if os.Geteuid() != 0 {
		return ok("not used without root")
	}
	return cgroupsAt("/sys/fs/cgroup")
}

func cgroupsAt(dir string) Finding {
	version := "version 2"
	where := dir
	if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
		version, where = "version 1", filepath.Join(dir, "devices")
	}
	if err := unix.Access(where, unix.W_OK); err != nil {
		return bad(where+": "+err.Error(), "mount control groups so that they can be written: in a container, run it as a privileged one")
	}
	return ok(version)
}

func (m *Machine) qemu(context.Context) Finding {
	found, _ := filepath.Glob("/proc/sys/fs/binfmt_misc/qemu-*") // the pattern is well-formed
	if len(found) == 0 {
		return ok("not needed: no build emulates; only running another CPU's images does")
	}
	return ok("there, and not needed: only running another CPU's images does")
}
