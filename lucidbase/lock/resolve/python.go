package resolve

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Runner builds a graph and reads files from its result: an *engine.Engine.
type Runner interface {
	Platform() ocispecs.Platform
	ReadFiles(ctx context.Context, state llb.State, inputs []lucidbase.Input, names []string) (map[string][]byte, error)
}

// Python resolves the newest uv and, with it, every tier's packages. Both run in
// a stage of the engine that stands on the locked Debian packages; the package
// index is asked by pip and uv alone.
func Python(ctx context.Context, run Runner, d lock.Debian, inputs map[string][]byte) (lock.Tools, map[lock.Tier]lock.Requirements, error) {
	version, err := lucidbase.PythonVersion(d, run.Platform())
	if err != nil {
		return lock.Tools{}, nil, err
	}
	builder, layers := stage.NewBuilder(d, run.Platform())
	files, err := run.ReadFiles(ctx, builder.Lock(inputs, version), layers, stage.LockOutputs())
	if err != nil {
		return lock.Tools{}, nil, fmt.Errorf("resolving Python packages: %w", err)
	}
	tools, err := parseUV(files["uv.json"])
	if err != nil {
		return lock.Tools{}, nil, err
	}
	tiers := map[lock.Tier]lock.Requirements{}
	for _, t := range lock.Tiers() {
		if tiers[t], err = lock.ParseRequirements(t.LockFile(), files[t.LockFile()]); err != nil {
			return lock.Tools{}, nil, err
		}
	}
	return tools, tiers, nil
}

// parseUV reads what the stage found of uv: by machine, its version and the
// hash of its wheel.
func parseUV(data []byte) (lock.Tools, error) {
	var found map[string]struct{ Version, SHA256 string }
	if err := json.Unmarshal(data, &found); err != nil {
		return lock.Tools{}, fmt.Errorf("parsing uv.json: %w", err)
	}
	tools := lock.Tools{UV: lock.Tool{SHA256: map[string]string{}}}
	for machine, p := range map[string]ocispecs.Platform{"x86_64": lucidbase.LinuxAMD64, "aarch64": lucidbase.LinuxARM64} {
		uv, ok := found[machine]
		if !ok {
			return lock.Tools{}, fmt.Errorf("resolving uv: no wheel for %s", machine)
		}
		if v := tools.UV.Version; v != "" && v != uv.Version {
			return lock.Tools{}, fmt.Errorf("resolving uv: version %s for one platform and %s for another", v, uv.Version)
		}
		tools.UV.Version = uv.Version
		tools.UV.SHA256[lucidbase.FormatPlatform(p)] = strings.ToLower(uv.SHA256)
	}
	return tools, nil
}
