package stage

import (
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
)

// Target is the Python of an image, which packages are installed for. It is not
// run: stages run the builder's own.
type Target struct {
	Platform ocispecs.Platform
	// Version is the interpreter's full version; markers such as
	// python_full_version ask for it.
	Version string
	// Prefix is where the interpreter is installed: "/usr" or "/usr/local".
	Prefix string
	// Musl says that its C library is Alpine's and not Debian's.
	Musl bool
}

// DebianTarget returns the target of Debian's Python that takes one of
// lock.WheelTargets.
func DebianTarget(wheels, version string) Target {
	t := Target{Platform: lucidbase.LinuxAMD64, Version: version, Prefix: "/usr"}
	if strings.HasSuffix(wheels, "_aarch64") {
		t.Platform = lucidbase.LinuxARM64
	}
	return t
}

// Label stands before the names of the target's stages.
func (t Target) Label() string {
	if t.Musl {
		return "[" + t.Platform.Architecture + " musl]"
	}
	return "[" + t.Platform.Architecture + "]"
}

// Wheels is the one of lock.WheelTargets that the target takes.
func (t Target) Wheels() string {
	if t.Musl {
		return "musllinux_1_2_" + t.machine()
	}
	return "manylinux_2_36_" + t.machine()
}

// uv is uv's name of the target, for --python-platform.
func (t Target) uv() string {
	if t.Musl {
		return t.machine() + "-unknown-linux-musl"
	}
	return t.machine() + "-manylinux_2_36"
}

func (t Target) machine() string {
	if t.Platform.Architecture == "arm64" {
		return "aarch64"
	}
	return "x86_64"
}
