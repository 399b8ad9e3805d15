package resolve

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Python fills in the newest tools, and every tier's packages as the newest uv
// resolves them, wheels and sources. It runs in a stage of the engine that
// stands on the set's Debian packages; the package index is asked by pip and uv
// alone.
func Python(ctx context.Context, run Runner, set *lock.Set, in Lists) error {
	r := stage.Resolution{Files: in.Python, Libraries: in.Debian.Libraries}
	tiers := slices.Clone(lock.Tiers())
	slices.Reverse(tiers) // each within the versions of the larger one
	for _, t := range tiers {
		r.Lists = append(r.Lists, stage.List{Name: string(t), File: t.ListFile(), Targets: tierTargets(t)})
	}
	files, err := runStage(ctx, run, set.Debian, r)
	if err != nil {
		return err
	}
	if set.Tools, err = parseTools(files[stage.ToolsOutput]); err != nil {
		return err
	}
	set.Python = map[lock.Tier]lock.Packages{}
	for i, t := range tiers {
		locked, err := parseList(r.Lists[i], files, r.Libraries)
		if err != nil {
			return err
		}
		set.Python[t] = locked.Packages
	}
	return nil
}

// tierTargets are those of the images that have a tier: the Alpine base has the
// smallest alone.
func tierTargets(t lock.Tier) []string {
	if t == lock.Minimal {
		return lock.WheelTargets()
	}
	return slices.DeleteFunc(lock.WheelTargets(), func(target string) bool { return strings.HasPrefix(target, "musl") })
}

func runStage(ctx context.Context, run Runner, d lock.Debian, r stage.Resolution) (map[string][]byte, error) {
	var err error
	if r.Version, err = supply.PythonVersion(d, run.Platform()); err != nil {
		return nil, err
	}
	r.Nonce = rand.Text()
	names := []string{stage.ToolsOutput}
	for _, l := range r.Lists {
		lockFile, sources := l.Outputs()
		names = append(names, lockFile, sources)
	}
	builder, layers := stage.NewBuilder(d, run.Platform())
	files, err := run.ReadFiles(ctx, builder.Resolve(r), layers, names)
	if err != nil {
		return nil, fmt.Errorf("resolving Python packages: %w", err)
	}
	return files, nil
}

// parseTools reads what the stage found of the tools: by name and machine, the
// version and the hash of the wheel.
func parseTools(data []byte) (lock.Tools, error) {
	var found map[string]map[string]struct{ Version, SHA256 string }
	if err := json.Unmarshal(data, &found); err != nil {
		return lock.Tools{}, fmt.Errorf("parsing %s: %w", stage.ToolsOutput, err)
	}
	var tools lock.Tools
	for name, tool := range map[string]*lock.Tool{"uv": &tools.UV, "ziglang": &tools.Zig} {
		tool.SHA256 = map[string]string{}
		for machine, p := range map[string]ocispecs.Platform{"x86_64": lucidbase.LinuxAMD64, "aarch64": lucidbase.LinuxARM64} {
			wheel, ok := found[name][machine]
			if !ok {
				return lock.Tools{}, fmt.Errorf("resolving %s: no wheel for %s", name, machine)
			}
			if v := tool.Version; v != "" && v != wheel.Version {
				return lock.Tools{}, fmt.Errorf("resolving %s: version %s for one platform and %s for another", name, v, wheel.Version)
			}
			tool.Version = wheel.Version
			tool.SHA256[lucidbase.FormatPlatform(p)] = strings.ToLower(wheel.SHA256)
		}
	}
	return tools, nil
}
