package cli

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"syscall"

	"github.com/lucid-project/base-images/internal/docker"
)

// loadHint is about an image store of this machine.
func loadHint(err error) string {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "free space where the engine keeps its images, for example with 'docker system prune'"
	case errors.Is(err, fs.ErrPermission):
		return "become a member of the group that the socket belongs to (docker), run it as root, or name another socket with DOCKER_HOST or CONTAINER_HOST"
	case errors.As(err, &certificate):
		return "check the name in DOCKER_HOST, and the certificates in DOCKER_CERT_PATH"
	case !errors.As(err, new(*docker.Error)) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return "check the address of containerd's socket: /run/containerd/containerd.sock, or /run/k3s/containerd/containerd.sock of k3s"
	case errors.As(err, new(*docker.Error)):
		return "start Docker, or Podman's service with 'systemctl --user start podman.socket', or name where it listens with DOCKER_HOST or CONTAINER_HOST"
	}
	return ""
}
