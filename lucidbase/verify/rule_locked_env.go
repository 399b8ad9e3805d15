package verify

import (
	"strings"

	pep "github.com/lucid-project/base-images/internal/python"
)

// needed tells whether a lock's line with a marker is for this image.
func (im *image) needed(marker string) (bool, error) {
	if marker == "" {
		return true, nil
	}
	m, err := pep.ParseMarker(marker)
	if err != nil {
		return false, err
	}
	return m.Holds(im.lockEnvironment())
}

// lockEnvironment is that of the image's CPython (PEP 508): Linux' and the
// config's CPU's. The version is what a virtual environment of the image says.
func (im *image) lockEnvironment() pep.Environment {
	version := "3.11.0"
	im.visible(func(e *entry) {
		if !strings.HasSuffix(e.at, "/pyvenv.cfg") {
			return
		}
		for line := range strings.Lines(e.content().Text) {
			key, value, _ := strings.Cut(line, "=")
			if key = strings.TrimSpace(key); key == "version" || key == "version_info" {
				version = strings.TrimSpace(value)
			}
		}
	})
	parts := strings.SplitN(version, ".", 3)
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[im.config.Architecture]
	return pep.Environment{
		"python_version": strings.Join(parts[:min(2, len(parts))], "."), "python_full_version": version,
		"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine,
		"platform_python_implementation": "CPython", "implementation_name": "cpython", "implementation_version": version,
		"platform_release": "", "platform_version": "", "extra": "",
	}
}
