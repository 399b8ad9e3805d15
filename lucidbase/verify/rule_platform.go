package verify

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func platformOf(config *v1.ConfigFile) v1.Platform {
	return v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant, OSVersion: config.OSVersion}
}

// samePlatform compares platforms as runtimes choose by them: ARM64 without a
// variant is v8, ARM v7, AMD64 v1.
// https://github.com/containerd/platforms, "Normalization"
func samePlatform(a, b v1.Platform) bool {
	return a.OS == b.OS && a.Architecture == b.Architecture && variant(a) == variant(b)
}

func variant(p v1.Platform) string {
	if p.Variant == "" {
		return map[string]string{"arm64": "v8", "arm": "v7", "amd64": "v1"}[p.Architecture]
	}
	return p.Variant
}

// named is a platform for people.
func named(p v1.Platform) string {
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
func checkPlatform(im *image) []hit {
	want, got := im.want.Platform, platformOf(im.config)
	var hits []hit
	wrong := func(field, got, want string) {
		found := fmt.Sprintf("%q, where the image is for %s", got, named(im.want.Platform))
		if want == "" {
			found = "empty: nothing says what the image runs on"
		}
		hits = append(hits, hit{path: "config:" + field, layer: -1, found: found})
	}
	for field, p := range map[string]string{"OS": got.OS, "Architecture": got.Architecture} {
		if p != "" && !platformNames[field][p] {
			hits = append(hits, hit{path: "config:" + field, layer: -1, found: fmt.Sprintf("%q: no runtime knows it", p)})
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
