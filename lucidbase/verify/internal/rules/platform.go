package rules

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var platformRule = Rule{
	Name:    "platform",
	Summary: "the config's system and CPU are those that the image is for",
	Why:     "a runtime chooses an image by it, and then cannot start what is inside",
	Fix:     "build for the platform itself, and let the builder write the config",
	Check:   checkPlatform,
}

// PlatformOf returns the platform that a config names.
func PlatformOf(config *v1.ConfigFile) v1.Platform {
	return v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant, OSVersion: config.OSVersion}
}

// SamePlatform compares platforms as runtimes choose by them: ARM64 without a
// variant is v8, ARM v7, AMD64 v1.
// https://github.com/containerd/platforms, "Normalization"
func SamePlatform(a, b v1.Platform) bool {
	return a.OS == b.OS && a.Architecture == b.Architecture && variant(a) == variant(b)
}

func variant(p v1.Platform) string {
	if p.Variant == "" {
		return map[string]string{"arm64": "v8", "arm": "v7", "amd64": "v1"}[p.Architecture]
	}
	return p.Variant
}

// PlatformText is a platform for people.
func PlatformText(p v1.Platform) string {
	if p.OS == "" && p.Architecture == "" {
		return "no platform"
	}
	return p.String()
}

// platformNames are the words that a config may use: Go's GOOS and GOARCH
// (image-spec, config.md), so "amd64" and not "x86_64".
var platformNames = map[string]map[string]bool{
	"OS":           namesOf("linux windows darwin freebsd netbsd openbsd dragonfly solaris illumos aix plan9 android ios js wasip1"),
	"Architecture": namesOf("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm"),
}

func namesOf(list string) map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		names[name] = true
	}
	return names
}

// checkPlatform compares the config's platform with the contract's.
func checkPlatform(im *overlay.Image) []overlay.Hit {
	want, got := im.Want.Platform, PlatformOf(im.Config)
	var hits []overlay.Hit
	wrong := func(field, got, want string) {
		found := fmt.Sprintf("%q, where the image is for %s", got, PlatformText(im.Want.Platform))
		if want == "" {
			found = "empty: nothing says what the image runs on"
		}
		hits = append(hits, overlay.Hit{Path: "config:" + field, Layer: -1, Found: found})
	}
	for field, p := range map[string]string{"OS": got.OS, "Architecture": got.Architecture} {
		if p != "" && !platformNames[field][p] {
			hits = append(hits, overlay.Hit{Path: "config:" + field, Layer: -1, Found: fmt.Sprintf("%q: no runtime knows it", p)})
		}
	}
	if got.OS == "" || want.OS != "" && got.OS != want.OS {
		wrong("OS", got.OS, want.OS)
	}
	if got.Architecture == "" || want.Architecture != "" && got.Architecture != want.Architecture {
		wrong("Architecture", got.Architecture, want.Architecture)
	} else if want.Architecture != "" && variant(got) != variant(want) {
		wrong("Variant", got.Variant, variant(want))
	}
	return hits
}
