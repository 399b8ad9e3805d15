package docker

import (
	"fmt"
	"os"
	"path/filepath"
)

// FindPodman returns where a Podman of this machine may listen: where CONTAINER_HOST says,
// or the user's own and then root's. named says which of the two it is.
func FindPodman() (daemons []*Daemon, named bool) {
	if host := os.Getenv("CONTAINER_HOST"); host != "" {
		return []*Daemon{{Address: host, Source: "CONTAINER_HOST", Engine: "Podman"}}, true
	}
	var dirs []string
	if os.Geteuid() > 0 { // it is -1 on Windows
		runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
		if runtimeDir == "" {
			runtimeDir = fmt.Sprintf("/run/user/%d", os.Geteuid())
		}
		dirs = append(dirs, runtimeDir)
	}
	for _, dir := range append(dirs, "/run") {
		daemons = append(daemons, &Daemon{Address: "unix://" + filepath.Join(dir, "podman", "podman.sock"), Source: "Podman's default", Engine: "Podman"})
	}
	return daemons, false
}
