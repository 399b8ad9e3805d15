package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/profiles/seccomp"
	"github.com/moby/sys/user"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// spec says to runc how to run a container, and writes the files that it mounts.
func (s *server) spec(c *running, q request) (*specs.Spec, error) {
	process, err := c.newProcess(q)
	if err != nil {
		return nil, err
	}
	spec := &specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: c.rootfs(), Readonly: true},
		Hostname: q.Container,
		Process:  process,
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
			},
			MaskedPaths:   masked,
			ReadonlyPaths: readonly,
		},
	}
	if ns := s.networks.namespace(q.Container); ns != "" {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: ns})
	}
	if s.settings.Cgroup != "" {
		// Version 1 has files beside it, one of which is called tasks.
		spec.Linux.CgroupsPath = "/" + s.settings.Cgroup + "/of-" + q.Container
	}
	if spec.Mounts, err = s.mounts(c, q); err != nil {
		return nil, err
	}
	spec.Linux.Seccomp, err = seccomp.GetDefaultProfile(spec)
	return spec, err
}

// masked and readonly are Docker's lists of what a container shall not see, or not
// change.
var (
	masked = []string{
		"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
	readonly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// newProcess is a container's first process.
func (c *running) newProcess(q request) (*specs.Process, error) {
	who, err := c.user(q.Config.User)
	if err != nil {
		return nil, err
	}
	command := q.Config.Cmd
	if q.Args != nil {
		command = q.Args
	}
	args := slices.Concat(q.Config.Entrypoint, command)
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: the image has no command, and none was given", q.Container)
	}
	p := &specs.Process{
		User:            specs.User{UID: uint32(who.Uid), GID: uint32(who.Gid)},
		Args:            args,
		Env:             environment(q, who.Home),
		Cwd:             path.Join("/", q.Config.WorkingDir),
		Capabilities:    &specs.LinuxCapabilities{},
		NoNewPrivileges: true,
	}
	for _, gid := range who.Sgids {
		p.User.AdditionalGids = append(p.User.AdditionalGids, uint32(gid))
	}
	return p, nil
}

// environment is the image's, with what every container has and what was asked for.
// The last of two values holds.
func environment(q request, home string) []string {
	values := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "HOSTNAME": q.Container,
	}
	for _, entry := range slices.Concat(q.Config.Env, q.Env) {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env
}

// user looks a user up in the image.
func (c *running) user(name string) (*user.ExecUser, error) {
	root, err := os.OpenRoot(c.rootfs())
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := map[string]io.Reader{}
	for _, file := range []string{"etc/passwd", "etc/group"} {
		text, err := root.ReadFile(file)
		if err != nil {
			text = nil // numbers need no names
		}
		files[file] = bytes.NewReader(text)
	}
	who, err := user.GetExecUser(name, &user.ExecUser{Home: "/"}, files["etc/passwd"], files["etc/group"])
	if err != nil {
		return nil, fmt.Errorf("the image's user %q: %w", name, err)
	}
	return who, nil
}

// mounts are a container's, in the order in which they are made.
func (s *server) mounts(c *running, q request) ([]specs.Mount, error) {
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "nodev", "mode=1777"}},
	}
	if !s.settings.Rootless || !s.settings.HostNetwork { // sysfs is the network namespace's owner's
		mounts = append(mounts, specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	for i, target := range slices.Sorted(maps.Keys(volumes(q.Config))) {
		source, err := c.volume(i, target)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, specs.Mount{Destination: target, Type: "bind", Source: source, Options: []string{"rbind", "rw", "nosuid", "nodev"}})
	}
	for target, text := range s.networks.files(q.Container) {
		source := filepath.Join(c.dir, filepath.Base(target))
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			return nil, err
		}
		mounts = append(mounts, specs.Mount{Destination: target, Type: "bind", Source: source, Options: []string{"rbind", "ro"}})
	}
	for _, m := range q.Mounts {
		mounts = append(mounts, specs.Mount{Destination: m.Target, Type: "bind", Source: m.Source, Options: []string{"rbind", "ro", "nosuid", "nodev"}})
	}
	return mounts, nil
}

// volumes are those that the image declares; /tmp is memory anyway.
func volumes(c v1.Config) map[string]struct{} {
	clean := map[string]struct{}{}
	for target := range c.Volumes {
		if target = path.Join("/", target); target != "/tmp" && target != "/" {
			clean[target] = struct{}{}
		}
	}
	return clean
}
