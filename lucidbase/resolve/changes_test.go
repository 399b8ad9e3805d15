package resolve

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func testSet() *lock.Set {
	platform := func(arch string) lock.DebianPlatform {
		pkg := func(name, version string) lock.Package {
			return lock.Package{Name: name, Version: version, Archive: "debian", Path: name + "_" + arch, Size: 1, SHA256: arch}
		}
		return lock.DebianPlatform{
			Rootfs:  lock.Layer{Digest: "sha256:" + arch, Size: 1, Packages: []lock.Package{pkg("libc6", "2.36"), pkg("libssl3", "3.0.17")}},
			Builder: lock.Layer{Digest: "sha256:b" + arch, Size: 1, Packages: []lock.Package{pkg("pip", "23")}},
		}
	}
	req := func(name, version string) lock.Requirement {
		return lock.Requirement{Name: name, Version: version, Hashes: []string{"sha256:" + name}}
	}
	return &lock.Set{
		Debian: lock.Debian{
			Suites:    []lock.Suite{{Archive: "debian", Name: "bookworm", Date: time.Date(2026, 7, 11, 10, 0, 0, 0, time.UTC), Key: "A"}},
			Platforms: map[string]lock.DebianPlatform{"linux/amd64": platform("amd64"), "linux/arm64": platform("arm64")},
		},
		Python: map[lock.Tier]lock.Packages{
			lock.Minimal:  packages(req("idna", "3.1")),
			lock.Python:   packages(req("aiohttp", "3.12"), req("idna", "3.1")),
			lock.Standard: packages(req("aiohttp", "3.12"), req("idna", "3.1"), req("numpy", "2")),
		},
		Tools: lock.Tools{UV: lock.Tool{Version: "0.13", SHA256: map[string]string{"linux/amd64": "x"}}},
	}
}

func packages(reqs ...lock.Requirement) lock.Packages {
	return lock.Packages{Targets: lock.WheelTargets()[:2], Requirements: reqs}
}

func TestChanges(t *testing.T) {
	rootfs := func(s *lock.Set, platform string, edit func(l *lock.Layer)) {
		p := s.Debian.Platforms[platform]
		edit(&p.Rootfs)
		s.Debian.Platforms[platform] = p
	}
	both := func(edit func(l *lock.Layer)) func(s *lock.Set) {
		return func(s *lock.Set) { rootfs(s, "linux/amd64", edit); rootfs(s, "linux/arm64", edit) }
	}
	tests := map[string]struct {
		edit func(s *lock.Set)
		want []string
	}{
		"nothing":      {func(*lock.Set) {}, nil},
		"both":         {both(func(l *lock.Layer) { l.Packages[1].Version = "3.0.22"; l.Digest = "x" }), []string{"debian libssl3 3.0.17 -> 3.0.22"}},
		"removed":      {both(func(l *lock.Layer) { l.Packages = l.Packages[:1] }), []string{"debian libssl3 removed 3.0.17"}},
		"hash":         {both(func(l *lock.Layer) { l.Packages[0].SHA256 = "x" }), []string{"debian libc6 2.36: another file of the same version"}},
		"layer":        {both(func(l *lock.Layer) { l.Digest = "x" }), []string{"debian rootfs layer made otherwise from the same packages"}},
		"date":         {func(s *lock.Set) { s.Debian.Suites[0].Date = s.Debian.Suites[0].Date.Add(time.Hour) }, []string{"debian suite bookworm 2026-07-11T10:00:00Z -> 2026-07-11T11:00:00Z"}},
		"key":          {func(s *lock.Set) { s.Debian.Suites[0].Key = "B" }, []string{"debian suite bookworm 2026-07-11T10:00:00Z: signed with another key"}},
		"tool":         {func(s *lock.Set) { s.Tools.UV.Version = "0.14" }, []string{"tool uv 0.13 -> 0.14"}},
		"tool's hash":  {func(s *lock.Set) { s.Tools.UV.SHA256 = nil }, []string{"tool uv 0.13: other hashes of the same version"}},
		"no platform":  {func(s *lock.Set) { delete(s.Debian.Platforms, "linux/arm64") }, []string{"debian libc6 removed 2.36 (linux/arm64)", "debian libssl3 removed 3.0.17 (linux/arm64)", "debian pip removed 23 (linux/arm64)"}},
		"one platform": {func(s *lock.Set) { rootfs(s, "linux/arm64", func(l *lock.Layer) { l.Packages[0].Version = "2.37" }) }, []string{"debian libc6 2.36 -> 2.37 (linux/arm64)"}},
		"higher tiers": {func(s *lock.Set) {
			s.Python[lock.Python].Requirements[0].Version = "4"
			s.Python[lock.Standard].Requirements[0].Version = "4"
		}, []string{"python aiohttp 3.12 -> 4"}},
		"moved down":    {func(s *lock.Set) { s.Python[lock.Minimal] = s.Python[lock.Python] }, []string{"python aiohttp added 3.12 (minimal)"}},
		"python's hash": {func(s *lock.Set) { s.Python[lock.Standard].Requirements[2].Hashes = []string{"y"} }, []string{"python numpy 2: other files of the same version"}},
		"marker":        {func(s *lock.Set) { s.Python[lock.Standard].Requirements[2].Marker = "x" }, []string{"python numpy 2 -> 2 ; x"}},
		"order":         {func(s *lock.Set) { r := s.Python[lock.Standard].Requirements; r[0], r[1] = r[1], r[0] }, []string{"standard.lock.toml: another form of the same content", "standard.lock.txt: another form of the same content"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			now := testSet()
			tt.edit(now)
			require.Equal(t, tt.want, Changes(testSet(), now))
			require.Equal(t, len(tt.want) == 0, maps.EqualFunc(testSet().Files(), now.Files(), func(a, b []byte) bool { return string(a) == string(b) }))
		})
	}
}

func TestChangesFromNothing(t *testing.T) {
	require.Equal(t, strings.Fields("bookworm libc6 libssl3 pip aiohttp idna numpy uv"), added(Changes(nil, testSet())))
}

// added returns the names that lines add.
func added(lines []string) []string {
	var all []string
	for _, line := range lines {
		before, _, _ := strings.Cut(line, " added ")
		all = append(all, before[strings.LastIndex(before, " ")+1:])
	}
	return all
}
