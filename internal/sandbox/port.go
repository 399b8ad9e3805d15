package sandbox

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Port returns a service's own TCP port: what the variable PORT says, of env and then
// of the image, or the only port that the image exposes.
func Port(image v1.Config, env []string) (string, error) {
	for _, entry := range slices.Backward(slices.Concat(image.Env, env)) {
		if port, ok := strings.CutPrefix(entry, "PORT="); ok && port != "" {
			return port, nil
		}
	}
	var ports []string
	for exposed := range image.ExposedPorts {
		port, protocol, _ := strings.Cut(exposed, "/")
		if protocol == "" || protocol == "tcp" {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	switch len(ports) {
	case 0:
		return "", errors.New("its port is not known: the image exposes none, and there is no variable PORT")
	case 1:
		return ports[0], nil
	}
	return "", fmt.Errorf("its port is not known: the image exposes several, %s, and there is no variable PORT", strings.Join(ports, ", "))
}

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName refuses what is no host name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is no host name: lower-case letters, digits and '-', at most 63", name)
	}
	return nil
}

// HostName returns the last part of an image's title, which is a service's name, or
// "app" where that is no host name.
func HostName(image v1.Config) string {
	title := strings.ToLower(path.Base(image.Labels[ocispecs.AnnotationTitle]))
	if CheckName(title) != nil {
		return "app"
	}
	return title
}
