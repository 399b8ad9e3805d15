package stage

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var (
	setuptools = lock.Requirements{{Name: "setuptools", Version: "80.9.0", Hashes: []string{"sha256:" + strings.Repeat("b", 64)}}}
	psutil     = compiled("psutil", "5.9.6", "a", lock.WheelTargets())
	cffi       = compiled("cffi", "1.15.1", "c", lock.WheelTargets(), "libffi-dev")
	stem       = compiled("stem", "1.8.2", "d", []string{"any"})

	amd64 = Target{Platform: lucidbase.LinuxAMD64, Version: "3.11.2", Prefix: "/usr"}
	arm64 = Target{Platform: lucidbase.LinuxARM64, Version: "3.11.2", Prefix: "/usr"}
)

func compiled(name, version, hash string, targets []string, libraries ...string) lock.Requirement {
	return lock.Requirement{Name: name, Version: version, Sdist: &lock.Sdist{
		SHA256: strings.Repeat(hash, 64), Targets: targets, Build: setuptools, Libraries: libraries,
	}}
}

// wheels returns the stages of sources for a target, with their inputs.
func wheels(t *testing.T, target Target, sources ...lock.Requirement) ([]llb.State, []lucidbase.Input) {
	t.Helper()
	locks, err := lock.Default()
	require.NoError(t, err)
	b, _ := NewBuilder(locks.Debian, lucidbase.LinuxAMD64)
	compiler := Compiler{Builder: b, Locks: locks}
	if target.Musl {
		headers := lucidbase.Input{Kind: supply.ImageHeaders, Platform: target.Platform, Layer: lock.Layer{Digest: "sha256:" + strings.Repeat("e", 64), Size: 1}}
		compiler.Headers = &headers
	}
	got, inputs, err := compiler.Wheels(sources, target)
	require.NoError(t, err)
	require.Len(t, got, len(sources))
	return got, inputs
}

// steps maps the name of each step of a state to its digest.
func steps(t *testing.T, state llb.State) map[string]digest.Digest {
	t.Helper()
	def, err := state.Marshal(t.Context(), llb.Platform(lucidbase.LinuxAMD64))
	require.NoError(t, err)
	all := map[string]digest.Digest{}
	for _, raw := range def.Def {
		d := digest.FromBytes(raw)
		var op pb.Op
		require.NoError(t, op.UnmarshalVT(raw))
		if op.GetExec() != nil {
			all[def.Metadata[d].Description["llb.customname"]] = d
		}
	}
	return all
}

// A stage is known by what goes into it alone: others beside it change nothing,
// and what two need is made once.
func TestWheelsAreSharedByContent(t *testing.T) {
	alone, inputs := wheels(t, arm64, psutil)
	require.Len(t, inputs, 1)
	require.Equal(t, supply.Headers, inputs[0].Kind)
	require.Equal(t, lucidbase.LinuxARM64, inputs[0].Platform)
	beside, _ := wheels(t, arm64, cffi, psutil)
	require.Equal(t, steps(t, alone[0]), steps(t, beside[1]))

	one, other := steps(t, beside[1]), steps(t, beside[0])
	shared := 0
	for name, d := range one {
		if other[name] == d {
			shared++
		}
	}
	require.Equal(t, 4, shared, "uv, zig, its runtime, the build environment, and nothing else: %v", one)
	changed := compiled("psutil", "5.9.6", "0", lock.WheelTargets())
	again, _ := wheels(t, arm64, cffi, changed)
	require.Equal(t, other, steps(t, again[0]))
	require.NotEqual(t, one["compile psutil 5.9.6 for manylinux_2_36_aarch64"], steps(t, again[1])["compile psutil 5.9.6 for manylinux_2_36_aarch64"])
}

// A pure source is built once for all targets, and needs no compiler.
func TestPureWheelIsBuiltOnce(t *testing.T) {
	first, inputs := wheels(t, amd64, stem)
	require.Empty(t, inputs)
	want := steps(t, first[0])
	require.Contains(t, want, "compile stem 1.8.2 for any")
	for name := range want {
		require.NotContains(t, name, "ziglang")
	}
	for _, target := range []Target{arm64, {Platform: lucidbase.LinuxARM64, Version: "3.11.14", Prefix: "/usr/local", Musl: true}} {
		got, _ := wheels(t, target, stem)
		require.Equal(t, want, steps(t, got[0]))
	}
}

// No step that runs a source's code has the network, or may write where others
// read.
func TestWheelIsMadeAlone(t *testing.T) {
	musl := Target{Platform: lucidbase.LinuxARM64, Version: "3.11.14", Prefix: "/usr/local", Musl: true}
	got, inputs := wheels(t, musl, cffi)
	require.Len(t, inputs, 2)
	def, err := got[0].Marshal(t.Context(), llb.Platform(lucidbase.LinuxAMD64))
	require.NoError(t, err)
	found := 0
	for _, raw := range def.Def {
		var op pb.Op
		require.NoError(t, op.UnmarshalVT(raw))
		exec := op.GetExec()
		if exec == nil || exec.Meta.Args[len(exec.Meta.Args)-1] != "musllinux_1_2_aarch64" || exec.Meta.Args[3] != "build" {
			continue
		}
		found++
		require.Equal(t, pb.NetMode_NONE, exec.Network)
		require.Empty(t, exec.Secretenv)
		var writable []string
		for _, m := range exec.Mounts {
			require.NotEqual(t, pb.MountType_CACHE, m.MountType)
			if !m.Readonly && m.Dest != "/" {
				writable = append(writable, m.Dest)
			}
		}
		require.ElementsMatch(t, []string{"/build", "/out", "/runtime", "/tmp"}, writable)
		require.True(t, exec.Mounts[0].Readonly, "the root filesystem")
	}
	require.Equal(t, 1, found)
}
