package sandbox

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
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

// Listening returns the addresses that somebody listens on, of /proc/net/tcp, whose fields are described in the kernel's
// networking/proc_net_tcp: number, local address, remote address, state.
func Listening(table io.Reader) (list []string) {
	const listen = "0A"
	for lines := bufio.NewScanner(table); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[3] != listen {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		ip, err := hex.DecodeString(address)
		number, err2 := strconv.ParseUint(port, 16, 16)
		if err != nil || err2 != nil {
			continue
		}
		for word := range slices.Chunk(ip, 4) { // each in the order of a little-endian machine
			slices.Reverse(word)
		}
		list = append(list, net.JoinHostPort(net.IP(ip).String(), strconv.FormatUint(number, 10)))
	}
	return list
}

// Listeners says what somebody listens on, and whether anybody outside reaches it.
func Listeners(list []string) string {
	if len(list) == 0 {
		return "it listens on no port"
	}
	text := "it listens on " + strings.Join(list, ", ")
	if !slices.ContainsFunc(list, func(s string) bool { return !strings.HasPrefix(s, "127.") && !strings.HasPrefix(s, "[::1]") }) {
		text += ", which nobody outside reaches: 0.0.0.0 is needed"
	}
	return text
}
