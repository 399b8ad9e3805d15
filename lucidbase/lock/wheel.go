package lock

import (
	"slices"
	"strings"
)

// Wheel is a file of a locked distribution, and where it is used.
type Wheel struct {
	// Name is the file's name; its last three parts say where it runs (PEP 425).
	Name string
	// SHA256 is the file's hash, 64 lower-case hexadecimal digits.
	SHA256 string
	// Size is the file's, in bytes.
	Size int64
	// Targets are those of WheelTargets that the file is used for: no other file of
	// the distribution fits these better.
	Targets []string
}

// Pure reports whether the wheel runs on every CPU and C library, by its name.
func (w Wheel) Pure() bool { return strings.HasSuffix(w.Name, "-none-any.whl") }

// WheelTargets lists the platform tags (PEP 425) that packages are locked for:
// Debian 12's glibc (PEP 600) and Alpine's musl (PEP 656), on each CPU.
func WheelTargets() []string {
	return []string{"manylinux_2_36_x86_64", "manylinux_2_36_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}
}

// Wheel returns the file that is used for one of WheelTargets, if there is one.
func (r Requirement) Wheel(target string) (Wheel, bool) {
	i := slices.IndexFunc(r.Wheels, func(w Wheel) bool { return slices.Contains(w.Targets, target) })
	if i < 0 {
		return Wheel{}, false
	}
	return r.Wheels[i], true
}

// Serves reports whether the distribution is needed for one of WheelTargets: as a
// wheel, or compiled from source.
func (r Requirement) Serves(target string) bool {
	_, ok := r.Wheel(target)
	return ok || r.Sdist.Serves(target)
}

// String returns the name and the version.
func (r Requirement) String() string { return r.Name + " " + r.Version }
