package llbutil

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/offer"
)

// NetworkSecrets declares every secret that a networked step may use: the
// variables that say where Python's index is and through which proxy, further
// certificate authorities in /run/secrets/lucid-ca.pem, and credentials in
// /run/secrets/lucid-netrc and /run/secrets/lucid-index. All are optional and always declared, so that a
// graph never depends on who builds, and none reaches a layer or a cache key.
func NetworkSecrets() llb.RunOption {
	opts := runOptions{
		llb.AddSecret(offer.CAPath, llb.SecretID(offer.CASecret), llb.SecretOptional),
		llb.AddSecret(offer.NetrcPath, llb.SecretID(offer.NetrcSecret), llb.SecretOptional),
		llb.AddSecret(offer.IndexPath, llb.SecretID(offer.IndexSecret), llb.SecretOptional),
	}
	for _, name := range offer.Variables() {
		opts = append(opts, llb.AddSecret(name, llb.SecretID(name), llb.SecretAsEnv(true), llb.SecretOptional))
	}
	return opts
}

type runOptions []llb.RunOption

// SetRunOption applies each option in turn.
func (opts runOptions) SetRunOption(info *llb.ExecInfo) {
	for _, o := range opts {
		o.SetRunOption(info)
	}
}
