package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
)

// engineFlags are the flags of every command that opens an engine.
type engineFlags struct {
	addresses      []string
	cacheDir       string
	cacheLimit     string
	cacheFrom      []string // of build alone, as cacheTo
	cacheTo        []string
	caBundle       string
	debianMirror   string
	securityMirror string
	imageMirrors   []string
	progress       string
	registries     registryFlags
}

func (e *engineFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&e.addresses, "engine", nil, "what builds: embedded (the default on Linux), docker (elsewhere), buildx://NAME or a BuildKit's address; may be repeated; $BUILDKIT_HOST")
	f.StringVar(&e.cacheDir, "cache-dir", "", "directory for everything that can be made again (default lucidbase in the user's cache directory)")
	f.StringVar(&e.cacheLimit, "cache-limit", "20GB", "size that the cache stays under")
	f.StringVar(&e.caBundle, "ca-bundle", "", "PEM `file` of certificate authorities to trust besides the system's; $SSL_CERT_FILE")
	f.StringVar(&e.debianMirror, "debian-mirror", "", "base URL of a Debian mirror, or several with commas between; $LUCID_DEBIAN_MIRROR")
	f.StringVar(&e.securityMirror, "debian-security-mirror", "", "the same for the security archive; $LUCID_DEBIAN_SECURITY_MIRROR")
	f.StringArrayVar(&e.imageMirrors, "image-mirror", nil, "registry to ask for upstream images first, as docker.io=HOST/PREFIX; may be repeated; $LUCID_IMAGE_MIRROR")
	e.registries.add(f)
	f.StringVar(&e.progress, "progress", "auto", "auto, plain, tty, quiet or rawjson")
}

var progressModes = []string{"auto", "plain", "tty", "quiet", "rawjson"}

// validate finds a wrong command line before anything is done.
func (e *engineFlags) validate() error {
	if _, err := e.limit(); err != nil {
		return err
	}
	if !slices.Contains(progressModes, e.progress) {
		return usagef("--progress %q: not one of %s", e.progress, strings.Join(progressModes, ", "))
	}
	if _, err := alpine.ParseMirrors(e.imageMirrors...); err != nil {
		return usagef("--image-mirror: %w", err)
	}
	return nil
}

func (e *engineFlags) open(ctx context.Context, s Streams) (*engine.Engine, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	if err := e.registries.check(); err != nil {
		return nil, err
	}
	eng, err := engine.Open(ctx, e.address(), e.options(s)...)
	if errors.As(err, new(*engine.CacheError)) {
		return nil, usageError{err}
	}
	if errors.As(err, new(*engine.AddressError)) && len(e.addresses) > 0 {
		return nil, usagef("--engine: %w", err)
	}
	return eng, err
}

// address is every --engine, as engine.Open takes them.
func (e *engineFlags) address() string { return strings.Join(e.addresses, ",") }

func (e *engineFlags) options(s Streams) []engine.Option {
	opts := append(e.registries.options(), engine.WithCacheFrom(e.cacheFrom...), engine.WithCacheTo(e.cacheTo...), engine.WithImageMirrors(e.imageMirrors...), engine.WithProgress(s.Err), engine.WithProgressMode(e.progress))
	if e.cacheDir != "" {
		opts = append(opts, engine.WithCacheDir(e.cacheDir))
	}
	if e.caBundle != "" {
		opts = append(opts, engine.WithCABundle(e.caBundle))
	}
	if e.debianMirror != "" || e.securityMirror != "" {
		opts = append(opts, engine.WithDebianMirrors(e.debianMirror, e.securityMirror))
	}
	return opts
}

// with opens the engine for a function, and keeps the cache under its limit
// afterwards.
func (e *engineFlags) with(ctx context.Context, s Streams, do func(*engine.Engine) error) error {
	eng, err := e.open(ctx, s)
	if err != nil {
		return err
	}
	defer eng.Close()
	err = do(eng)
	if err != nil && !errors.Is(err, errStale) {
		return err
	}
	return errors.Join(err, e.limitCache(ctx, eng))
}

// limit returns --cache-limit in bytes.
func (e *engineFlags) limit() (int64, error) {
	limit, err := units.FromHumanSize(e.cacheLimit)
	if err != nil {
		return 0, usagef("--cache-limit %q: %w", e.cacheLimit, err)
	}
	return limit, nil
}

func (e *engineFlags) limitCache(ctx context.Context, eng *engine.Engine) error {
	limit, err := e.limit()
	if err != nil {
		return err
	}
	if _, err := eng.Prune(ctx, engine.Limit{Bytes: limit}); err != nil {
		return fmt.Errorf("keeping the cache under %s: %w", e.cacheLimit, err)
	}
	return nil
}
