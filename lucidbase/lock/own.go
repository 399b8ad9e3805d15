package lock

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// SourcesBeside is the name of the sources that belong to a lock of one's own:
// "requirements.sources.toml" for "requirements.lock.txt".
func SourcesBeside(lockFile string) string {
	stem := strings.TrimSuffix(strings.TrimSuffix(lockFile, path.Ext(lockFile)), ".lock")
	return stem + ".sources.toml"
}

// ReadRequirements reads a lock of one's own, as "lucidbase lock -r" writes it,
// and the sources beside it; without that file there are none. A source that
// replaces nothing of the lock is an error.
func ReadRequirements(fsys fs.FS, name string) (Requirements, Sources, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, nil, err
	}
	reqs, err := ParseRequirements(name, data)
	if err != nil {
		return nil, nil, err
	}
	beside := SourcesBeside(name)
	if _, err := fs.Stat(fsys, beside); err != nil {
		return reqs, nil, nil
	}
	if data, err = fs.ReadFile(fsys, beside); err != nil {
		return nil, nil, err
	}
	sources, err := ParseSources(beside, data)
	if err != nil {
		return nil, nil, err
	}
	return reqs, sources, sources.Within(beside, reqs)
}

// Within reports the first source that replaces none of the requirements. name
// is what the error calls the file.
func (ss Sources) Within(name string, reqs Requirements) error {
	for _, s := range ss {
		found := false
		for _, r := range reqs {
			found = found || r.Name == s.Name && r.Version == s.Version && r.Marker == s.Marker
		}
		if !found {
			return fmt.Errorf("%s: %s %s: not in the lock beside it", name, s.Name, s.Version)
		}
	}
	return nil
}
