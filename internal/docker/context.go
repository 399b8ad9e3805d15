package docker

import (
	"crypto/tls"
	"errors"

	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"

	"github.com/lucid-project/base-images/internal/certs"
)

// endpoint is the name of a context's part that is about the daemon.
const endpoint = "docker"

// fromContext returns the daemon of a context that "docker context create" has stored.
func fromContext(name string) (*Daemon, error) {
	stored := store.New(config.ContextStoreDir(), store.NewConfig(
		func() any { return &struct{}{} },
		store.EndpointTypeGetter(endpoint, func() any { return &dockercontext.EndpointMetaBase{} }),
	))
	meta, err := stored.GetMetadata(name)
	if err != nil {
		return nil, err
	}
	at, ok := meta.Endpoints[endpoint].(dockercontext.EndpointMetaBase)
	if !ok {
		return nil, errors.New("it names no daemon")
	}
	d := &Daemon{Address: at.Host}
	files, err := dockercontext.LoadTLSData(stored, name, endpoint)
	if err != nil {
		return nil, err
	}
	if files == nil {
		if at.SkipTLSVerify {
			d.tls = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user has asked for it
		}
		return d, nil
	}
	d.tls, err = certs.New(files.CA, files.Cert, files.Key)
	if err == nil {
		d.tls.InsecureSkipVerify = at.SkipTLSVerify
	}
	return d, err
}
