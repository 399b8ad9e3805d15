package variants_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// pure is a lock of one wheel that runs everywhere.
func pure(name, version string, size int64) lock.Packages {
	w := lock.Wheel{Name: name + "-" + version + "-py3-none-any.whl", Size: size, SHA256: digest.FromString(name + version).Encoded(), Targets: lock.WheelTargets()}
	return lock.Packages{Targets: lock.WheelTargets(), Requirements: lock.Requirements{
		{Name: name, Version: version, Hashes: []string{"sha256:" + w.SHA256}, Wheels: []lock.Wheel{w}},
	}}
}

func locked(all ...lock.Packages) lock.Packages {
	p := lock.Packages{Targets: lock.WheelTargets()}
	for _, one := range all {
		p.Requirements = append(p.Requirements, one.Requirements...)
	}
	return p
}

// packageLayers maps what is in each layer of packages to the vertex and the output
// that it comes from: two that are equal here are one blob.
func packageLayers(t *testing.T, spec lucidbase.Spec, p lucidbase.Platforms) (names []string, from map[string]string) {
	t.Helper()
	g, err := spec.Graph(p)
	require.NoError(t, err)
	def, err := g.State.Marshal(t.Context(), llb.Platform(p.Target), llb.LocalUniqueID("the engine's"))
	require.NoError(t, err)
	from = map[string]string{}
	for _, raw := range def.Def {
		var op pb.Op
		require.NoError(t, op.UnmarshalVT(raw))
		if op.GetMerge() == nil {
			continue
		}
		require.Len(t, g.Config.History, len(op.Inputs)+1, "the root filesystem and the bytecode are one input")
		for i, in := range op.Inputs[1:] {
			name := strings.TrimPrefix(g.Config.History[i+2].CreatedBy, "lucidbase: ")
			names = append(names, name)
			from[name] = fmt.Sprint(in.Digest, in.Index)
		}
	}
	require.Len(t, from, len(names))
	return names, from
}

var onARM64 = lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64}

// What an image replaces, and no other, is in another layer than in all images.
func TestOverridingChangesOneLayer(t *testing.T) {
	locks := fixture(t)
	_, before := packageLayers(t, variants.Standard{Locks: locks}, onAMD64)
	for name, c := range map[string]struct {
		further lock.Packages
		gone    []string
		added   []string
	}{
		"large":            {pure("dnspython", "2.9", 400_000), []string{"dnspython 2.8.0"}, []string{"dnspython 2.9"}},
		"small":            {pure("idna", "3.11", 70_000), []string{"idna 3.10"}, []string{"idna 3.11"}},
		"new":              {pure("rich", "1", 300_000), nil, []string{"rich 1"}},
		"new, small":       {locked(pure("rich", "1", 300), pure("tomli", "2", 300)), nil, []string{"rich 1, tomli 2"}},
		"just as the tier": {lock.Packages{Targets: lock.WheelTargets()[:2], Requirements: locks.Python[lock.Standard].Requirements}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, after := packageLayers(t, variants.Standard{Locks: locks, Packages: c.further}, onAMD64)
			for _, gone := range c.gone {
				require.NotContains(t, after, gone)
				require.Contains(t, before, gone)
			}
			for _, added := range c.added {
				require.Contains(t, after, added)
				require.NotContains(t, before, added)
			}
			require.Len(t, after, len(before)-len(c.gone)+len(c.added))
			for name, layer := range after {
				if !slices.Contains(c.added, name) {
					require.Equal(t, before[name], layer, name)
				}
			}
		})
	}
}

// A lock that was resolved with a base is all that the image has, and what it has
// just so comes from the base's layers.
func TestCompleteLock(t *testing.T) {
	locks := fixture(t)
	complete := locks.Python[lock.Python]
	complete.Base = lock.Base{Name: "python-base", Digest: complete.Digest()}
	complete.Requirements = slices.DeleteFunc(slices.Clone(complete.Requirements), func(r lock.Requirement) bool { return r.Name == "fastapi" })
	complete.Requirements = append(complete.Requirements, pure("rich", "1", 300_000).Requirements...)
	_, before := packageLayers(t, variants.Python{Locks: locks}, onAMD64)
	names, after := packageLayers(t, variants.Python{Locks: locks, Packages: complete}, onAMD64)
	require.Equal(t, []string{"pymongo 4.15.0", "idna 3.10", "markupsafe 3.0.0", "pydantic-core 2.41.0", "rich 1"}, names)
	for _, name := range names[:4] {
		require.Equal(t, before[name], after[name], name)
	}

	g, err := variants.Python{Locks: locks, Packages: complete}.Graph(onAMD64)
	require.NoError(t, err)
	require.Empty(t, g.Notes)
	complete.Base.Digest = "sha256:" + strings.Repeat("0", 64)
	g, err = variants.Python{Locks: locks, Packages: complete}.Graph(onAMD64)
	require.NoError(t, err, "the lock is complete")
	require.Equal(t, []string{"its packages were locked with other packages of python-base than this one has: lock them again for what is new"}, g.Notes)
}

// Of a layer of small wheels the rest stays together.
func TestOverridingASmallOneKeepsTheRest(t *testing.T) {
	locks := fixture(t)
	set := *locks
	set.Python = map[lock.Tier]lock.Packages{lock.Minimal: locked(locks.Python[lock.Minimal], pure("six", "1.17", 10_000), pure("zipp", "3", 10_000))}
	names, _ := packageLayers(t, variants.Debian{Name: "x", Tier: lock.Minimal, Options: variants.Options{Locks: &set, Packages: pure("six", "1.16", 10_000)}}, onAMD64)
	require.Equal(t, []string{"pymongo 4.15.0", "idna 3.10, zipp 3", "markupsafe 3.0.0", "six 1.16"}, names)
}

// A wheel that runs everywhere is one layer for both CPUs, and for Alpine.
func TestPureLayersAreShared(t *testing.T) {
	further := locked(pure("rich", "1", 300_000), pure("tomli", "2", 300))
	_, amd64 := packageLayers(t, variants.Standard{Locks: fixture(t), Packages: further}, onAMD64)
	_, arm64 := packageLayers(t, variants.Standard{Locks: fixture(t), Packages: further}, onARM64)
	_, alpine := packageLayers(t, variants.Alpine{Locks: fixture(t), Packages: further}, onARM64)
	for _, name := range []string{"rich 1", "tomli 2", "dnspython 2.8.0", "idna 3.10", "fastapi 0.100.0"} {
		require.Equal(t, amd64[name], arm64[name], name)
	}
	for _, name := range []string{"rich 1", "tomli 2", "idna 3.10"} {
		require.Equal(t, amd64[name], alpine[name], name)
	}
	for _, name := range []string{"pymongo 4.15.0", "markupsafe 3.0.0", "pydantic-core 2.41.0", "pyyaml 6.0.3"} {
		require.NotEqual(t, amd64[name], arm64[name], name)
	}
}

// Two services that need the same package share its layer, whatever else they need.
func TestFurtherPackagesAreShared(t *testing.T) {
	_, one := packageLayers(t, variants.Python{Locks: fixture(t), Packages: locked(pure("pillow", "1", 3_000_000), pure("rich", "1", 300_000))}, onAMD64)
	_, other := packageLayers(t, variants.Alpine{Locks: fixture(t), Packages: locked(pure("lxml", "1", 3_000_000), pure("pillow", "1", 3_000_000))}, onAMD64)
	require.Equal(t, one["pillow 1"], other["pillow 1"])
}

// A long list has larger groups, not more layers; what the tiers have stays.
func TestNumberOfLayers(t *testing.T) {
	var all []lock.Packages
	for i := range 300 {
		all = append(all, pure(fmt.Sprintf("p%03d", i), "1", int64(200_000+10_000*i)))
	}
	tier, _ := packageLayers(t, variants.Standard{Locks: fixture(t)}, onAMD64)
	names, _ := packageLayers(t, variants.Standard{Locks: fixture(t), Packages: locked(all...)}, onAMD64)
	require.Equal(t, tier, names[:len(tier)])
	require.Less(t, len(names), 95)
	require.Greater(t, len(names), 40)
	again, _ := packageLayers(t, variants.Standard{Locks: fixture(t), Packages: locked(all...)}, onARM64)
	require.Equal(t, names, again)

	for i := range all {
		all[i].Requirements[0].Wheels = nil
		all[i].Requirements[0].Sdist = &lock.Sdist{SHA256: strings.Repeat("a", 64), Targets: []string{"any"}}
	}
	_, err := variants.Standard{Locks: fixture(t), Packages: locked(all...)}.Graph(onAMD64)
	require.ErrorContains(t, err, "base: the packages take 309 layers, and 95 are allowed")
}

// The published images' layers, from the committed locks.
func TestPublishedLayers(t *testing.T) {
	for _, p := range []lucidbase.Platforms{onAMD64, onARM64} {
		python, _ := packageLayers(t, variants.Python{}, p)
		standard, _ := packageLayers(t, variants.Standard{}, p)
		require.Less(t, len(standard)+2, 40)
		require.Equal(t, python, standard[:len(python)], "the layers of python-base are layers of base")
	}
}

func TestPackagesForOtherTargets(t *testing.T) {
	further := pure("rich", "1", 1000)
	further.Targets = lock.WheelTargets()[:1]
	_, err := variants.Python{Locks: fixture(t), Packages: further}.Graph(onARM64)
	require.EqualError(t, err, "python-base: Packages: locked for manylinux_2_36_x86_64, and not for manylinux_2_36_aarch64")
}
