package resolve

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func ExampleCompiled() {
	for _, line := range Compiled(packages(
		lock.Requirement{Name: "idna", Version: "3.10"},
		lock.Requirement{Name: "psutil", Version: "5.9.6", Sdist: &lock.Sdist{Targets: []string{"manylinux_2_36_aarch64"}}},
		lock.Requirement{Name: "pymongo", Version: "4.15.4", Sdist: &lock.Sdist{Targets: []string{"musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}}},
		lock.Requirement{Name: "stem", Version: "1.8.2", Sdist: &lock.Sdist{Targets: []string{lock.AnyTarget}}},
	)) {
		fmt.Println(line)
	}
	// Output:
	// psutil 5.9.6: compiled from source for manylinux_2_36_aarch64: no wheel is published for it
	// pymongo 4.15.4: compiled from source for musllinux_1_2_x86_64, musllinux_1_2_aarch64: no wheel is published for them
	// stem 1.8.2: built from source, once for all platforms: no wheel is published
}

func TestOwnChanges(t *testing.T) {
	psutil := func(version string, targets ...string) lock.Packages {
		return packages(lock.Requirement{
			Name: "psutil", Version: version, Hashes: []string{"sha256:" + hashA}, Sdist: &lock.Sdist{SHA256: hashB, Targets: targets},
		})
	}
	wheels := psutil("5.9.6")
	wheels.Requirements[0].Sdist = nil
	otherBuild := psutil("5.9.6", musl...)
	otherBuild.Requirements[0].Sdist.Build = lock.Requirements{{Name: "setuptools", Version: "84", Hashes: []string{"sha256:" + hashA}}}
	otherFile := psutil("5.9.6", musl...)
	otherFile.Requirements[0].Wheels = []lock.Wheel{{Name: "psutil-5.9.6-py3-none-any.whl", Size: 1}}
	const compiled = "5.9.6: compiled from source for musllinux_1_2_x86_64, musllinux_1_2_aarch64"
	const reason = ": no wheel is published for them"
	for name, tt := range map[string]struct {
		old, now lock.Packages
		want     []string
	}{
		"nothing":            {psutil("5.9.6", musl...), psutil("5.9.6", musl...), nil},
		"from nothing":       {lock.Packages{}, psutil("5.9.6", musl...), []string{"python psutil added 5.9.6", "source psutil added " + compiled + reason}},
		"other file":         {psutil("5.9.6", musl...), otherFile, []string{"python psutil 5.9.6: other files of the same version"}},
		"no source":          {psutil("5.9.6", musl...), wheels, []string{"source psutil removed " + compiled}},
		"other requirements": {psutil("5.9.6", musl...), otherBuild, []string{"source psutil " + compiled + ": built by other requirements"}},
		"fewer targets": {psutil("5.9.6", musl...), psutil("5.9.6", musl[0]), []string{
			"source psutil " + compiled + " -> 5.9.6: compiled from source for musllinux_1_2_x86_64: no wheel is published for it",
		}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, OwnChanges(tt.old, tt.now)) })
	}
}

// A tier's sources are reported by tier where another tier needs them otherwise.
func TestChangesOfSources(t *testing.T) {
	old, now := testSet(), testSet()
	now.Python[lock.Minimal].Requirements[0].Sdist = &lock.Sdist{SHA256: hashA, Targets: musl}
	now.Tools.Zig = lock.Tool{Version: "0.17", SHA256: map[string]string{"linux/amd64": "z"}}
	require.Equal(t, []string{
		"source idna added 3.1: compiled from source for musllinux_1_2_x86_64, musllinux_1_2_aarch64: no wheel is published for them",
		"tool ziglang added 0.17",
	}, Changes(old, now))
	require.Equal(t, []string{
		"source idna removed 3.1: compiled from source for musllinux_1_2_x86_64, musllinux_1_2_aarch64",
		"tool ziglang removed 0.17",
	}, Changes(now, old))
}
