package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestPlatform(t *testing.T) {
	for _, c := range []struct {
		os, arch, variant string
		want              v1.Platform
		found             []string
	}{
		{"linux", "amd64", "", v1.Platform{}, nil},
		{"linux", "arm64", "v8", v1.Platform{OS: "linux", Architecture: "arm64"}, nil},
		{"linux", "arm64", "", v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, nil},
		{"linux", "arm", "v6", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v6"}, nil},
		{"linux", "amd64", "", v1.Platform{OS: "linux", Architecture: "arm64"}, []string{`config:Architecture: "amd64", where the image is for linux/arm64`}},
		{"windows", "amd64", "", v1.Platform{OS: "linux", Architecture: "amd64"}, []string{`config:OS: "windows"`}},
		{"linux", "arm", "v6", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}, []string{`config:Variant: "v6"`}},
		{"linux", "amd64", "v3", v1.Platform{OS: "linux", Architecture: "amd64"}, []string{`config:Variant: "v3"`}},
		{"linux", "x86_64", "", v1.Platform{}, []string{`config:Architecture: "x86_64": no runtime knows it`}},
		{"Linux", "riscv64", "", v1.Platform{}, []string{`config:OS: "Linux": no runtime knows it`}},
		{"", "", "", v1.Platform{}, []string{"config:Architecture: empty", "config:OS: empty"}},
	} {
		config := &v1.ConfigFile{OS: c.os, Architecture: c.arch, Variant: c.variant}
		var got []string
		for _, f := range verify.Check(config, nil, verify.Contract{Platform: c.want, Only: []string{"platform"}}) {
			got = append(got, f.Path+": "+f.Found)
		}
		startsWith(t, c.found, got)
	}
}
