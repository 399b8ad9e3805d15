package variants

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// What a tier has in another version, or under another marker, is replaced; what it
// has just so is there once.
func TestLayersHaveEachPackageOnce(t *testing.T) {
	req := func(name, version, marker string) lock.Requirement {
		return lock.Requirement{Name: name, Version: version, Marker: marker, Hashes: []string{"sha256:x"}}
	}
	low := lock.Requirements{req("psutil", "5", ""), req("idna", "3", "")}
	high := append(lock.Requirements{req("lz4", "4", "")}, low...)
	locks := &lock.Set{
		Python:  map[lock.Tier]lock.Requirements{lock.Minimal: low, lock.Python: high, lock.Standard: high},
		Sources: map[lock.Tier]lock.Sources{lock.Minimal: {{Name: "psutil", Version: "5"}}},
	}
	for name, c := range map[string]struct {
		further lock.Requirements
		want    []lock.Requirements
	}{
		"none":           {nil, []lock.Requirements{low, high[:1]}},
		"new":            {lock.Requirements{req("rich", "1", "")}, []lock.Requirements{low, high[:1], {req("rich", "1", "")}}},
		"same":           {lock.Requirements{req("Psutil", "5", "")}, []lock.Requirements{low, high[:1]}},
		"version":        {lock.Requirements{req("psutil", "6", "")}, []lock.Requirements{low[1:], high[:1], {req("psutil", "6", "")}}},
		"marker":         {lock.Requirements{req("idna", "3", "x")}, []lock.Requirements{low[:1], high[:1], {req("idna", "3", "x")}}},
		"a whole layer":  {lock.Requirements{req("LZ4", "5", "")}, []lock.Requirements{low, {req("LZ4", "5", "")}}},
		"one and a same": {lock.Requirements{req("idna", "3", ""), req("lz4", "5", "")}, []lock.Requirements{low, {req("lz4", "5", "")}}},
	} {
		t.Run(name, func(t *testing.T) {
			layers, err := base{tier: lock.Python, Options: Options{Locks: locks, Packages: c.further}}.layers()
			require.NoError(t, err)
			var got []lock.Requirements
			for _, l := range layers {
				got = append(got, l.reqs)
				for _, s := range l.sources {
					require.True(t, named(lock.Requirement{Name: s.Name}, l.reqs[0]) && l.reqs[0].Version == s.Version, "a source of what the layer has not")
				}
			}
			require.Equal(t, c.want, got)
		})
	}
}
