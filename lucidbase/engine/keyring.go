package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/moby/buildkit/session/secrets"
)

// namedCredentials are uv's variables for the indexes that have a name in UV_INDEX.
var namedCredentials = regexp.MustCompile(`^UV_INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)$`)

// namedIndexes returns the variables of named indexes as a JSON object.
func namedIndexes(environ []string) ([]byte, error) {
	found := map[string]string{}
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); namedCredentials.MatchString(name) && value != "" {
			found[name] = value
		}
	}
	if len(found) == 0 {
		return nil, secrets.ErrNotFound
	}
	return json.Marshal(found)
}

// withoutPassword is an address of an index that names a user alone, maybe after a name
// of the index.
var withoutPassword = regexp.MustCompile(`(https?://)([^:/@\s]+)@([^/\s?#]+)(/[^\s,]*)?`)

// withKeyring adds the passwords that the user's keyring has to the addresses of a
// variable, where UV_KEYRING_PROVIDER or PIP_KEYRING_PROVIDER asks for that: a step
// has no keyring.
func withKeyring(ctx context.Context, id, value string) ([]byte, error) {
	asked := os.Getenv("UV_KEYRING_PROVIDER") == "subprocess" || os.Getenv("PIP_KEYRING_PROVIDER") == "subprocess"
	isIndex := strings.HasPrefix(id, "UV_") || strings.HasPrefix(id, "PIP_")
	if !asked || !isIndex {
		return []byte(value), nil
	}
	var err error
	filled := withoutPassword.ReplaceAllStringFunc(value, func(address string) string {
		m := withoutPassword.FindStringSubmatch(address)
		password, askErr := keyring(ctx, m[1]+m[3]+m[4], m[3], m[2])
		if askErr != nil && err == nil {
			err = fmt.Errorf("%s: %w", id, askErr)
		}
		return m[1] + m[2] + ":" + strings.ReplaceAll(url.QueryEscape(password), "+", "%20") + "@" + m[3] + m[4]
	})
	if err != nil {
		return nil, err
	}
	return []byte(filled), nil
}

// keyring asks the program keyring, as uv and pip do: for the address, then for the host.
func keyring(ctx context.Context, address, host, user string) (string, error) {
	user, err := url.PathUnescape(user)
	if err != nil {
		return "", fmt.Errorf("the user of %s: %w", host, err)
	}
	for _, service := range []string{address, host} {
		out, err := exec.CommandContext(ctx, "keyring", "get", service, user).Output()
		if err == nil && len(bytes.TrimSpace(out)) > 0 {
			return strings.TrimRight(string(out), "\r\n"), nil
		}
		if _, missing := exec.LookPath("keyring"); missing != nil {
			return "", fmt.Errorf("asking the keyring for %s: %w", host, missing)
		}
	}
	return "", fmt.Errorf("the keyring has no password of %s for %s", user, host)
}
