// Package offer has the names under which a build's client offers what steps and
// graphs may take from it: its content store and secrets.
package offer

// StoreID is the name of the client's content store.
const StoreID = "lucid"

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

// IndexSecret is the id of the secret that holds further variables as a JSON object:
// uv's credentials for the indexes that have a name in UV_INDEX, UV_INDEX_NAME_USERNAME
// and UV_INDEX_NAME_PASSWORD; IndexPath is where a step finds it. Their names are the
// user's, and a graph must not depend on them.
const (
	IndexSecret = "lucid-index"
	IndexPath   = "/run/secrets/lucid-index"
)

// Variables lists the environment variables that a networked step takes from
// whoever builds: where Python's index is, with which credentials, through which
// proxy. The id of the secret is the variable's name.
func Variables() []string {
	return []string{
		"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
		"UV_INSECURE_HOST", "UV_HTTP_TIMEOUT",
		"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"http_proxy", "https_proxy", "all_proxy", "no_proxy",
	}
}
