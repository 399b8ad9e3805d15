// Package supply names the layers that graphs take from the client: Debian's
// packages unpacked, and files of upstream images, as the locks have them.
package supply

import (
	"fmt"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// The kinds of layers.
const (
	// Rootfs is a whole root filesystem.
	Rootfs lucidbase.InputKind = "rootfs"
	// Builder is the packages' files alone.
	Builder lucidbase.InputKind = "builder"
	// Headers is what is compiled against: headers, archives of libraries, and the
	// interpreter's configuration, each package's in a directory of its name.
	Headers lucidbase.InputKind = "headers"
	// Peer is a root filesystem for a test's own server: with shells and scripts, and with
	// what is below /data, /run and /var the user's.
	Peer lucidbase.InputKind = "peer"
	// System is what a service has of Debian's packages besides its base's.
	System lucidbase.InputKind = "system"
	// ImageRootfs is a root filesystem made from an upstream image: its
	// interpreter, and what that needs.
	ImageRootfs lucidbase.InputKind = "image-rootfs"
	// ImageHeaders is what a compiler needs for the interpreter of an upstream
	// image: pyconfig.h and the module of sysconfig data, where the image has them.
	ImageHeaders lucidbase.InputKind = "image-headers"
	// ImageDev is what a twin has of an upstream image besides: busybox and pip.
	ImageDev lucidbase.InputKind = "image-dev"
)

// Debian returns the root filesystem and the builder's layer of a platform.
func Debian(d lock.Debian, p ocispecs.Platform) (rootfs, builder lucidbase.Input) {
	locked := d.Platforms[lucidbase.FormatPlatform(p)]
	return lucidbase.Input{Kind: Rootfs, Platform: p, Layer: locked.Rootfs, Suites: d.Suites},
		lucidbase.Input{Kind: Builder, Platform: p, Layer: locked.Builder, Suites: d.Suites}
}

// DebianHeaders returns what sources are compiled against for a platform.
func DebianHeaders(d lock.Debian, p ocispecs.Platform) (lucidbase.Input, error) {
	platform := lucidbase.FormatPlatform(p)
	headers := d.Platforms[platform].Headers
	if headers.Digest == "" {
		return lucidbase.Input{}, fmt.Errorf("%s: no headers are locked for %s, and a source has to be compiled", lock.DebianFile, platform)
	}
	return lucidbase.Input{Kind: Headers, Platform: p, Layer: headers, Suites: d.Suites}, nil
}

// DebianSystem returns what a service has besides its base on a platform; its layer is
// zero where that is nothing.
func DebianSystem(s lock.System, p ocispecs.Platform) lucidbase.Input {
	return lucidbase.Input{Kind: System, Platform: p, Layer: s.Platforms[lucidbase.FormatPlatform(p)].Added, Suites: s.Suites}
}

// PythonVersion returns the full version of a platform's interpreter, which
// markers such as python_full_version ask for.
func PythonVersion(d lock.Debian, p ocispecs.Platform) (string, error) {
	platform := lucidbase.FormatPlatform(p)
	pkg, ok := d.Platforms[platform].Rootfs.Find(lock.PythonName + "-minimal")
	if !ok {
		return "", fmt.Errorf("%s: %s-minimal is not locked for %s", lock.DebianFile, lock.PythonName, platform)
	}
	upstream, _, _ := strings.Cut(pkg.Version, "-")
	return upstream, nil
}
