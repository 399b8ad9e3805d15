package resolve

import (
	"bytes"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// keyFiles are Debian's public keys, a directory for each archive; keys/README.md
// says where they come from.
//
//go:embed keys/*/*.gpg
var keyFiles embed.FS

// archiveKey is a key that may sign the suites of an archive.
type archiveKey struct {
	entity *openpgp.Entity
}

// fingerprint is that of the primary key, as lock.Suite has it.
func (k archiveKey) fingerprint() string {
	return strings.ToUpper(hex.EncodeToString(k.entity.PrimaryKey.Fingerprint))
}

// archiveKeys returns the committed keys by archive, in the order of their files:
// of several keys that signed a suite, the first is the one that a lock names.
var archiveKeys = sync.OnceValues(func() (map[string][]archiveKey, error) {
	names, err := fs.Glob(keyFiles, "keys/*/*.gpg")
	if err != nil {
		return nil, err
	}
	keys := map[string][]archiveKey{}
	for _, name := range names {
		data, err := keyFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		entities, err := openpgp.ReadKeyRing(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		archive := path.Base(path.Dir(name))
		for _, e := range entities {
			keys[archive] = append(keys[archive], archiveKey{e})
		}
	}
	return keys, nil
})
