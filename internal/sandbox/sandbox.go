// Package sandbox runs images as production does, by runc: with a read-only root, no
// capabilities, no new privileges, Docker's seccomp profile and a tmpfs at /tmp.
//
// A Sandbox is this program, started a second time as the first process of mount,
// process and network namespaces of its own, and as root of a user namespace where
// this process is not root. All that it makes is in those namespaces or in memory that
// ends with them: whatever ends the program, kill -9 included, the kernel ends the
// containers and unmounts what they had. Only unpacked layers stay, for the next run.
//
// It needs Linux 5.11, for overlayfs in a user namespace.
package sandbox

import (
	"errors"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrCannotRun is why an image cannot run on this machine at all: another operating
// system, or a CPU that nothing emulates.
var ErrCannotRun = errors.New("cannot run here")

// Config is what the containers of a Sandbox share.
type Config struct {
	// CacheDir holds unpacked layers, for all processes of this user.
	CacheDir string
	// Names of the containers: those by which they reach each other.
	Names []string
	// HostNetwork lets containers use this machine's network instead of one that
	// reaches nothing but them.
	HostNetwork bool
	// Architecture is that of the images, as OCI spells it.
	Architecture string
}

// Container is an image to be started.
type Container struct {
	// Name is one of the Sandbox's.
	Name  string
	Image v1.Image
	// Args take the place of the image's command, behind its entrypoint; nil keeps it.
	Args []string
	// Env are variables, NAME=VALUE, that come after the image's.
	Env []string
	// Mounts are directories and files of this machine, read-only.
	Mounts []Mount
	// Stdout and Stderr are what the container writes to; both must be set.
	Stdout, Stderr *os.File
}

// Mount shows a file or directory of this machine in a container.
type Mount struct {
	// Source is a path of this machine, Target an absolute one of the container.
	Source, Target string
}

// Layer is a layer that is unpacked, for the next run.
type Layer struct {
	DiffID string
	Size   int64     // in bytes
	Used   time.Time // last
}
