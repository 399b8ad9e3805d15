package variants

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// What a tier has in another version is replaced, what it has in the same is there
// once, and what the image does not need is not there, whatever it is called.
func TestLayersHaveEachPackageOnce(t *testing.T) {
	req := func(name, version, marker string) lock.Requirement {
		return lock.Requirement{Name: name, Version: version, Marker: marker, Hashes: []string{"sha256:x"}}
	}
	low := lock.Requirements{req("psutil", "5", ""), req("idna", "3", "")}
	high := append(lock.Requirements{req("lz4", "4", "")}, low...)
	marked := append(low[:2:2], req("async-timeout", "4", "python_full_version > '3.11.2'"))
	locks := &lock.Set{
		Python:  map[lock.Tier]lock.Requirements{lock.Minimal: marked, lock.Python: high, lock.Standard: high},
		Sources: map[lock.Tier]lock.Sources{lock.Minimal: {{Name: "psutil", Version: "5"}}},
	}
	target := stage.Target{Platform: lucidbase.LinuxAMD64, Version: "3.11.2", Prefix: "/usr"}
	for name, c := range map[string]struct {
		further lock.Requirements
		want    []lock.Requirements
	}{
		"none":           {nil, []lock.Requirements{low, high[:1]}},
		"new":            {lock.Requirements{req("rich", "1", "")}, []lock.Requirements{low, high[:1], {req("rich", "1", "")}}},
		"same":           {lock.Requirements{req("Psutil", "5", "")}, []lock.Requirements{low, high[:1]}},
		"version":        {lock.Requirements{req("psutil", "6", "")}, []lock.Requirements{low[1:], high[:1], {req("psutil", "6", "")}}},
		"marker":         {lock.Requirements{req("idna", "3", "python_full_version < '3.11.3'")}, []lock.Requirements{low, high[:1]}},
		"Windows":        {lock.Requirements{req("psutil", "6", "os_name == 'nt'"), req("rich", "1", "sys_platform != 'win32'")}, []lock.Requirements{low, high[:1], {req("rich", "1", "")}}},
		"another Python": {lock.Requirements{req("idna", "4", "python_full_version >= '3.12'")}, []lock.Requirements{low, high[:1]}},
		"a version each": {lock.Requirements{req("idna", "4", "platform_machine == 'x86_64'"), req("idna", "5", "platform_machine != 'x86_64'")}, []lock.Requirements{low[:1], high[:1], {req("idna", "4", "")}}},
		"a whole layer":  {lock.Requirements{req("LZ4", "5", "")}, []lock.Requirements{low, {req("LZ4", "5", "")}}},
		"one and a same": {lock.Requirements{req("idna", "3", ""), req("lz4", "5", "")}, []lock.Requirements{low, {req("lz4", "5", "")}}},
	} {
		t.Run(name, func(t *testing.T) {
			layers, err := base{tier: lock.Python, Options: Options{Locks: locks, Packages: c.further}}.layers(target)
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

// A tier's package that the tier below has under a marker is installed by the one
// that the image needs it of. Two versions for one image are an error, as is a
// marker that nobody can read.
func TestLayersOfMarkers(t *testing.T) {
	req := func(name, version, marker string) lock.Requirement {
		return lock.Requirement{Name: name, Version: version, Marker: marker, Hashes: []string{"sha256:x"}}
	}
	low := lock.Requirements{req("redis", "8", ""), req("async-timeout", "5", "python_full_version <= '3.11.2'")}
	high := lock.Requirements{req("async-timeout", "5", ""), req("redis", "8", ""), req("lz4", "4", "")}
	locks := &lock.Set{Python: map[lock.Tier]lock.Requirements{lock.Minimal: low, lock.Python: high, lock.Standard: high}}
	debian := stage.Target{Platform: lucidbase.LinuxAMD64, Version: "3.11.2", Prefix: "/usr"}
	layers, err := base{tier: lock.Python, Options: Options{Locks: locks}}.layers(debian)
	require.NoError(t, err)
	require.Equal(t, lock.Requirements{req("redis", "8", ""), req("async-timeout", "5", "")}, layers[0].reqs)
	require.Equal(t, lock.Requirements{req("lz4", "4", "")}, layers[1].reqs)
	alpine := stage.Target{Platform: lucidbase.LinuxARM64, Version: "3.11.14", Prefix: "/usr/local", Musl: true}
	layers, err = base{tier: lock.Minimal, Options: Options{Locks: locks}}.layers(alpine)
	require.NoError(t, err)
	require.Equal(t, lock.Requirements{req("redis", "8", "")}, layers[0].reqs)

	for want, further := range map[string]lock.Requirements{
		"Packages: numpy: versions 2.4 and 2.5 for linux/amd64": {req("numpy", "2.4", "python_full_version < '3.12'"), req("numpy", "2.5", "sys_platform == 'linux'")},
		"Packages: idna: marker \"x\"":                          {req("idna", "3", "x")},
	} {
		_, err := base{tier: lock.Python, Options: Options{Locks: locks, Packages: further}}.layers(debian)
		require.ErrorContains(t, err, want)
	}
}
