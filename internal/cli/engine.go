package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
)

// engineFlags are the flags of every command that opens an engine.
type engineFlags struct {
	address        string
	cacheDir       string
	cacheLimit     string
	caBundle       string
	debianMirror   string
	securityMirror string
	imageMirrors   []string
	progress       string
	registryWait   registryTimeout
}

func (e *engineFlags) add(f *pflag.FlagSet) {
	f.StringVar(&e.address, "engine", "", "address of a BuildKit instead of the embedded one; $BUILDKIT_HOST")
	f.StringVar(&e.cacheDir, "cache-dir", "", "directory for everything that can be made again (default lucidbase in the user's cache directory)")
	f.StringVar(&e.cacheLimit, "cache-limit", "20GB", "size that the cache stays under")
	f.StringVar(&e.caBundle, "ca-bundle", "", "PEM `file` of certificate authorities to trust besides the system's; $SSL_CERT_FILE")
	f.StringVar(&e.debianMirror, "debian-mirror", "", "base URL of a Debian mirror, or several with commas between; $LUCID_DEBIAN_MIRROR")
	f.StringVar(&e.securityMirror, "debian-security-mirror", "", "the same for the security archive; $LUCID_DEBIAN_SECURITY_MIRROR")
	f.StringArrayVar(&e.imageMirrors, "image-mirror", nil, "registry to ask for upstream images first, as docker.io=HOST/PREFIX; may be repeated; $LUCID_IMAGE_MIRROR")
	e.registryWait.add(f)
	f.StringVar(&e.progress, "progress", "auto", "auto, plain, tty, quiet or rawjson")
}

// registryTimeout is a flag of every command that asks registries.
type registryTimeout time.Duration

func (r *registryTimeout) add(f *pflag.FlagSet) {
	f.DurationVar((*time.Duration)(r), "registry-timeout", 30*time.Second,
		"how long a registry may be silent before its answer begins; twice as long in the middle of a body")
}

func (r registryTimeout) check() error {
	if r <= 0 {
		return usagef("--registry-timeout %s: must be more than 0s", time.Duration(r))
	}
	return nil
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
	if err := e.registryWait.check(); err != nil {
		return nil, err
	}
	opts := []engine.Option{engine.WithRegistryTimeout(time.Duration(e.registryWait)), engine.WithImageMirrors(e.imageMirrors...), engine.WithProgress(s.Err), engine.WithProgressMode(e.progress)}
	if e.cacheDir != "" {
		opts = append(opts, engine.WithCacheDir(e.cacheDir))
	}
	if e.caBundle != "" {
		opts = append(opts, engine.WithCABundle(e.caBundle))
	}
	if e.debianMirror != "" || e.securityMirror != "" {
		opts = append(opts, engine.WithDebianMirrors(e.debianMirror, e.securityMirror))
	}
	return engine.Open(ctx, e.address, opts...)
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
	if _, err := eng.Prune(ctx, limit); err != nil {
		return fmt.Errorf("keeping the cache under %s: %w", e.cacheLimit, err)
	}
	return nil
}

func newPrune(s Streams) *cobra.Command {
	var e engineFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Shrink the cache to --cache-limit, or empty it with --all",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			limit, err := e.limit()
			if err != nil {
				return err
			}
			if all {
				limit = 0
			}
			eng, err := e.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer eng.Close()
			freed, err := eng.Prune(cmd.Context(), limit)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "freed %s\n", units.HumanSize(float64(freed)))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "empty the cache")
	e.add(cmd.Flags())
	return cmd
}
