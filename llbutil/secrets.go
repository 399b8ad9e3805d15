package llbutil

import (
	"github.com/moby/buildkit/client/llb"
)

// CASecret is the id of the secret that holds a PEM bundle of further
// certificate authorities; CAPath is where a step finds it.
const (
	CASecret = "lucid-ca-bundle"
	CAPath   = "/run/secrets/lucid-ca.pem"
)

// NetrcSecret is the id of the secret that holds credentials in netrc form;
// NetrcPath is where a step finds it.
const (
	NetrcSecret = "lucid-netrc"
	NetrcPath   = "/run/secrets/lucid-netrc"
)

// EnvSecrets lists the variables that a networked step takes from whoever
// builds: where Python's index is, with which credentials, through which
// proxy. The id of the secret is the variable's name.
func EnvSecrets() []string {
	return []string{
		"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
		"UV_INSECURE_HOST", "UV_HTTP_TIMEOUT",
		"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"http_proxy", "https_proxy", "all_proxy", "no_proxy",
	}
}

// NetworkSecrets declares every secret that a networked step may use. All are
// optional and always declared, so that a graph never depends on who builds,
// and none reaches a layer or a cache key.
func NetworkSecrets() llb.RunOption {
	opts := runOptions{
		llb.AddSecret(CAPath, llb.SecretID(CASecret), llb.SecretOptional),
		llb.AddSecret(NetrcPath, llb.SecretID(NetrcSecret), llb.SecretOptional),
	}
	for _, name := range EnvSecrets() {
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
