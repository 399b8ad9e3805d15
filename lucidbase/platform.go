package lucidbase

import (
	"errors"
	"fmt"
	"strings"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// The platforms that images are made for and built on, spelled as OCI does.
// ARM64 carries no variant: v8 is the only one and its canonical form is none.
var (
	LinuxAMD64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	LinuxARM64 = ocispecs.Platform{OS: "linux", Architecture: "arm64"}
)

// AllPlatforms lists the platforms in the order in which an index names them.
func AllPlatforms() []ocispecs.Platform { return []ocispecs.Platform{LinuxAMD64, LinuxARM64} }

// ParsePlatform reads "linux/amd64", "linux/arm64" or "linux/arm64/v8".
func ParsePlatform(s string) (ocispecs.Platform, error) {
	switch strings.TrimSpace(s) {
	case "linux/amd64":
		return LinuxAMD64, nil
	case "linux/arm64", "linux/arm64/v8":
		return LinuxARM64, nil
	}
	return ocispecs.Platform{}, fmt.Errorf("platform %q: not one of linux/amd64, linux/arm64", s)
}

// FormatPlatform returns the form that ParsePlatform reads.
func FormatPlatform(p ocispecs.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// Epoch is the modification time of every file and the creation time of every
// layer and image: 2000-01-01T00:00:00Z. It is a constant and not the lock's
// date, so that a new lock changes only the layers whose files changed, and
// later than 1980, which the zip format cannot go below.
func Epoch() time.Time { return time.Unix(EpochSeconds, 0).UTC() }

// EpochSeconds is Epoch in seconds since 1970.
const EpochSeconds = 946684800

// Validate reports each platform that is none of AllPlatforms.
func (p Platforms) Validate() error {
	_, target := ParsePlatform(FormatPlatform(p.Target))
	if target != nil {
		target = fmt.Errorf("Platforms.Target: %w", target)
	}
	_, build := ParsePlatform(FormatPlatform(p.Build))
	if build != nil {
		build = fmt.Errorf("Platforms.Build: %w", build)
	}
	return errors.Join(target, build)
}
