package verify

import (
	"fmt"

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

// checkPlatform compares the config's platform with the contract's.
func checkPlatform(im *image) []hit {
	want, got := im.contract.Platform, platformOf(im.config)
	var hits []hit
	wrong := func(field, got, want string) {
		found := fmt.Sprintf("%q, where the image is for %s", got, named(im.contract.Platform))
		if want == "" {
			found = "empty: nothing says what the image runs on"
		}
		hits = append(hits, hit{"config:" + field, -1, found})
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
