package cli

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/lucid-project/base-images/internal/registrytls"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// registryFlags are flags of every command that asks registries.
type registryFlags struct {
	timeout  time.Duration
	insecure []string
}

func (r *registryFlags) add(f *pflag.FlagSet) {
	f.DurationVar(&r.timeout, "registry-timeout", 30*time.Second,
		"how long a registry may be silent before its answer begins; twice as long in the middle of a body")
	f.StringArrayVar(&r.insecure, "insecure-registry", nil,
		"registry, as HOST or HOST:PORT, whose certificate is not verified, or which has no TLS; may be repeated")
}

func (r *registryFlags) check() error {
	if r.timeout <= 0 {
		return usagef("--registry-timeout %s: must be more than 0s", r.timeout)
	}
	for _, host := range r.insecure {
		if err := registrytls.CheckName(host); err != nil {
			return usagef("--insecure-registry %q: %w", host, err)
		}
	}
	return nil
}

func (r *registryFlags) options() []engine.Option {
	return []engine.Option{engine.WithRegistryTimeout(r.timeout), engine.WithInsecureRegistries(r.insecure...)}
}
