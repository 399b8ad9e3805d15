package engine

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/lucidbase"
)

// CacheError says that text names no cache that machines can share.
type CacheError struct {
	Text string
	Err  error
}

// Error has the text.
func (e *CacheError) Error() string { return fmt.Sprintf("cache %q: %v", e.Text, e.Err) }

// Unwrap returns the cause.
func (e *CacheError) Unwrap() error { return e.Err }

// cacheEntry is a cache that machines share, in buildx's words.
type cacheEntry struct {
	kind  string
	attrs map[string]string
}

// cachePlaces is the attribute that says where a cache is, by its type.
var cachePlaces = map[string]map[string]string{
	"from": {"registry": "ref", "local": "src"},
	"to":   {"registry": "ref", "local": "dest"},
}

// parseCaches reads what buildx takes as --cache-from or --cache-to.
func parseCaches(direction string, texts []string) ([]cacheEntry, error) {
	var all []cacheEntry
	var errs []error
	for _, text := range texts {
		entry, err := parseCache(direction, text)
		if err != nil {
			errs = append(errs, &CacheError{text, err})
		}
		all = append(all, entry)
	}
	return all, errors.Join(errs...)
}

func parseCache(direction, text string) (cacheEntry, error) {
	entry := cacheEntry{attrs: map[string]string{}}
	if !strings.Contains(text, "=") { // as buildx has it
		text = "type=registry,ref=" + text
	}
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return entry, err
	}
	for _, field := range fields {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			return entry, fmt.Errorf("%q is not KEY=VALUE", field)
		}
		entry.attrs[strings.TrimSpace(key)] = value
	}
	entry.kind = entry.attrs["type"]
	delete(entry.attrs, "type")
	place, ok := cachePlaces[direction][entry.kind]
	switch {
	case entry.kind == "inline":
		return entry, errors.New("an inline cache is written into the image's config, and changes its digest; use type=registry or type=local")
	case !ok:
		return entry, fmt.Errorf("type=%s is not registry or local", entry.kind)
	case entry.attrs[place] == "":
		return entry, fmt.Errorf("no %s=", place)
	}
	if mode := entry.attrs["mode"]; direction == "to" && mode != "" && mode != "min" && mode != "max" {
		return entry, fmt.Errorf("mode=%s is not min or max", mode)
	}
	if entry.kind == "registry" {
		if _, err := name.NewTag(entry.attrs["ref"]); err != nil {
			return entry, err
		}
	}
	return entry, nil
}

// insecureAttr has BuildKit not verify the certificate of a cache's registry, and do without
// TLS where there is none.
const insecureAttr = "registry.insecure"

// markInsecure marks the caches in registries, as HOST or HOST:PORT, that are insecure.
func markInsecure(all []cacheEntry, registries []string) {
	for _, c := range all {
		tag, err := name.NewTag(c.attrs["ref"])
		if c.kind == "registry" && err == nil && slices.Contains(registries, tag.RegistryStr()) {
			c.attrs[insecureAttr] = "true"
		}
	}
}

// of returns the entry for one platform of one image: each has a tag or a directory of its
// own, or the last to be written would be all that is left. BuildKit's client does not wait
// for a directory that another solve writes to.
func (c cacheEntry) of(image string, g graph) client.CacheOptionsEntry {
	own := slug(image + "-" + lucidbase.FormatPlatform(g.platform))
	attrs := maps.Clone(c.attrs)
	switch c.kind {
	case "registry":
		tag, err := name.NewTag(attrs["ref"])
		if err != nil {
			panic(err) // it was parsed before
		}
		attrs["ref"] = tag.Context().Name() + ":" + slug(tag.TagStr()+"-"+own)
	case "local":
		for _, place := range []string{"src", "dest"} {
			if attrs[place] != "" {
				attrs[place] = filepath.Join(attrs[place], own)
			}
		}
	}
	return client.CacheOptionsEntry{Type: c.kind, Attrs: attrs}
}

// maxTag is the length that the OCI distribution specification allows a tag.
const maxTag = 128

// slug makes a tag of text.
func slug(text string) string {
	tag := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/:@", r) {
			return '-'
		}
		return r
	}, text)
	if len(tag) > maxTag {
		tag = tag[:maxTag-17] + "-" + digest.FromString(tag).Encoded()[:16]
	}
	return tag
}

// shareCache adds to a solve the caches that it may take steps from and writes to.
func (e *Engine) shareCache(image string, g graph, opt *client.SolveOpt) {
	for _, c := range e.cacheFrom {
		opt.CacheImports = append(opt.CacheImports, c.of(image, g))
	}
	for _, c := range e.cacheTo {
		opt.CacheExports = append(opt.CacheExports, c.of(image, g))
	}
	if slices.ContainsFunc(slices.Concat(e.cacheFrom, e.cacheTo), func(c cacheEntry) bool { return c.kind == "registry" }) {
		opt.Session = append(opt.Session, authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{AuthConfigProvider: e.cacheLogin}))
	}
}

// cacheLogin answers BuildKit, when the registry of a cache asks it who it is, with the
// credentials that a push has.
func (e *Engine) cacheLogin(ctx context.Context, host string, _ []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
	if host == authprovider.DockerHubRegistryHost {
		host = name.DefaultRegistry
	}
	found, err := e.credentials(ctx, host)
	if err != nil {
		e.loginFailed.Store(&err) // over gRPC it becomes text
		return types.AuthConfig{}, err
	}
	return types.AuthConfig{
		ServerAddress: host, Username: found.Username, Password: found.Password, Auth: found.Auth,
		IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
	}, nil
}

// credentials returns those for the repository of a cache in a registry, or for the
// registry.
func (e *Engine) credentials(ctx context.Context, host string) (*authn.AuthConfig, error) {
	var asks authn.Resource
	asks, err := name.NewRegistry(host)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Concat(e.cacheTo, e.cacheFrom) {
		if tag, err := name.NewTag(c.attrs["ref"]); err == nil && tag.RegistryStr() == host {
			asks = tag.Context()
			break
		}
	}
	found, err := authn.Resolve(ctx, keychain.Default, asks)
	if err != nil {
		return nil, fmt.Errorf("finding credentials: %w", err)
	}
	return authn.Authorization(ctx, found)
}

// CacheWriteError says that a cache for other machines was not written.
type CacheWriteError struct {
	// Places are those that were to be written, each REF or DIR.
	Places []string
	Err    error
}

// Error names the places.
func (e *CacheWriteError) Error() string {
	reason := e.Err.Error()
	var step *StepError
	if errors.As(e.Err, &step) {
		reason = step.Reason
	}
	return "writing the cache " + strings.Join(e.Places, " or ") + ": " + reason
}

// Unwrap returns the cause.
func (e *CacheWriteError) Unwrap() error { return e.Err }

// writingCache begins the name of what BuildKit does with a cache to write steps to.
const writingCache = "exporting cache to "

// ofCache names the cache in the error of a step that should have written it.
func (e *Engine) ofCache(err error) error {
	var step *StepError
	if !errors.As(err, &step) || !strings.HasPrefix(step.Step, writingCache) {
		return err
	}
	failed := &CacheWriteError{Err: err}
	for _, c := range e.cacheTo {
		failed.Places = append(failed.Places, c.attrs[cachePlaces["to"][c.kind]])
	}
	if login := e.loginFailed.Load(); login != nil {
		failed.Err = *login
	}
	return failed
}

// repository is an image's name without registry, path and tag.
func repository(tag string) string {
	tag = tag[strings.LastIndexByte(tag, '/')+1:]
	tag, _, _ = strings.Cut(tag, ":")
	return tag
}
