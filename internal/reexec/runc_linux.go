package reexec

import (
	"errors"
	"os/exec"
)

// FindRunc returns the path of runc. It looks where root would find it: Debian installs runc into
// /usr/sbin, which is not on every user's PATH.
func FindRunc(rootless bool) (string, error) {
	names := []string{"buildkit-runc", "runc"}
	if rootless {
		names = append(names, "/usr/local/sbin/runc", "/usr/sbin/runc")
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("runc not found on PATH: install it (apt-get install runc)")
}
