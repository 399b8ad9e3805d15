package explain

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// sources are the variables that say where packages come from, the first that is
// set before the others.
var sources = map[string][]string{
	"--index-url":       {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"},
	"--extra-index-url": {"UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"},
	"--find-links":      {"UV_FIND_LINKS"},
}

// publicIndex is the SHA-256 of the address of Python's public index, without its
// scheme: tools write it into lists. No registry has its name in this repository.
const publicIndex = "b11e731680c91b3c2cc5fdfe40c10f1f524f068ea7e457b7a1dd4e510105b78a"

// place compares an address with what is asked. A lock has no addresses: one that is
// not asked anyway has to be set by whoever locks and builds.
func (e *entry) place(o Option, prefix string, getenv func(string) string) {
	index, setting := configured("--index-url", getenv)
	asked, _ := configured(o.Name, getenv)
	wanted := bareAddress(o.Value)
	digest := sha256.Sum256([]byte(strings.TrimPrefix(wanted, "https://")))
	public := hex.EncodeToString(digest[:]) == publicIndex
	instead := "set " + rules[o.Name].says + " instead"
	switch {
	case Mask(e.line.Text) != e.line.Text:
		instead += ", with the credentials in ~/.netrc"
	case slices.Contains(append(asked, index...), wanted), public && len(index) == 0:
		return
	case public && o.Name == "--index-url":
		e.warn("%s%s is asked in its place", prefix, setting)
		return
	case len(index) > 0 && o.Name == "--index-url":
		instead = setting + " is set, and names another: remove it"
	case !strings.Contains(o.Value, "://") && o.Name == "--find-links":
		e.change("", "%sfiles of this machine cannot be locked: serve them, and set UV_FIND_LINKS", prefix)
		return
	}
	e.change("", "%sa lock does not say where packages come from: %s", prefix, instead)
}

// configured returns the addresses that the environment has for an option.
func configured(option string, getenv func(string) string) (addresses []string, setting string) {
	for _, name := range sources[option] {
		for _, value := range strings.FieldsFunc(getenv(name), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
			if label, named, ok := strings.Cut(value, "="); ok && !strings.Contains(label, "://") {
				value = named // UV_INDEX has names
			}
			addresses = append(addresses, bareAddress(value))
		}
		if len(addresses) > 0 {
			return addresses, name
		}
	}
	return nil, ""
}

// bareAddress is an address without credentials and closing slash.
func bareAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.User = nil
	return strings.TrimSuffix(u.String(), "/")
}
