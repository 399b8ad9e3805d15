// Package keychain finds the user's credentials for registries where Docker, Podman and
// the clouds' own tools keep them.
package keychain

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/authn/github"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/google"
)

// Default asks, in this order: the file that REGISTRY_AUTH_FILE names, Docker's
// configuration with its helpers and DOCKER_AUTH_CONFIG, Podman's files, and, for their
// own registries, Google's credentials and GITHUB_TOKEN. Amazon's and Azure's come by
// their helper programs, which a configuration names in credHelpers.
var Default authn.Keychain = authn.NewMultiKeychain(files{}, google.Keychain, github.Keychain)

// Pull is Default for what is read alone. A helper that is not installed is passed over:
// public images need no credentials. warn, unless it is nil, is told of it.
func Pull(warn func(error)) authn.Keychain {
	if warn == nil {
		warn = func(error) {}
	}
	return authn.NewMultiKeychain(files{without: warn}, google.Keychain, github.Keychain)
}

// FileError is a configuration that cannot be read.
type FileError struct {
	// File is its path.
	File string
	Err  error
}

// Error names the file.
func (e *FileError) Error() string { return "reading " + e.File + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// files is the keychain of the configurations of Docker and Podman.
type files struct {
	// without is told of a helper that is not installed, which is an error if it is nil.
	without func(error)
}

// Resolve implements authn.Keychain.
func (f files) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return f.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (f files) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	for _, path := range paths() {
		cf, err := read(path)
		if err != nil {
			return nil, &FileError{path, err}
		}
		found, err := lookUp(ctx, cf, target)
		if err != nil {
			err = fmt.Errorf("reading %s: %w", path, err)
			if f.without == nil || !errors.Is(err, exec.ErrNotFound) {
				return nil, err
			}
			f.without(err)
			continue
		}
		if found != (types.AuthConfig{}) {
			return authn.FromConfig(authn.AuthConfig{
				Username: found.Username, Password: found.Password, Auth: found.Auth,
				IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
			}), nil
		}
	}
	return authn.Anonymous, nil
}

// lookUp returns a configuration's credentials for a repository: those of its narrowest
// name first, as containers-auth.json(5) wants it, then the registry's.
func lookUp(ctx context.Context, cf *configfile.ConfigFile, target authn.Resource) (types.AuthConfig, error) {
	hosts := []string{target.RegistryStr()}
	if hosts[0] == name.DefaultRegistry {
		hosts = []string{authn.DefaultAuthKey, "docker.io"}
	}
	for _, key := range narrower(target, hosts[len(hosts)-1]) {
		if helper := cf.CredentialHelpers[key]; helper != "" {
			return ask(ctx, cf, helper, key)
		}
		if found, ok := cf.AuthConfigs[key]; ok {
			return cleared(found), nil
		}
	}
	// Of the rest, Docker's own code takes a name with a path for its host.
	for key := range cf.AuthConfigs {
		if strings.Contains(key, "/") && !strings.Contains(key, "://") {
			delete(cf.AuthConfigs, key)
		}
	}
	var errs []error
	for _, host := range hosts {
		helper := cf.CredentialsStore
		if own, ok := cf.CredentialHelpers[host]; ok {
			helper = own
		}
		found, err := ask(ctx, cf, helper, host)
		if err == nil && found != (types.AuthConfig{}) {
			return found, nil
		}
		errs = append(errs, err)
	}
	return types.AuthConfig{}, errors.Join(errs...)
}

// narrower returns the names of a repository that have a path, longest first.
func narrower(target authn.Resource, host string) []string {
	var names []string
	path, _ := strings.CutPrefix(target.String(), target.RegistryStr()+"/")
	if path == target.String() {
		return nil // the registry itself
	}
	for path != "" {
		names = append(names, host+"/"+path)
		path = path[:max(strings.LastIndex(path, "/"), 0)]
	}
	return names
}

// cleared returns credentials without what is none of them.
func cleared(c types.AuthConfig) types.AuthConfig {
	c.ServerAddress = ""
	return c
}
