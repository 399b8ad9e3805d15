package lucidtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/llbtext"
	"github.com/lucid-project/base-images/lucidbase"
)

// updateEnv has Golden write its files.
const updateEnv = "LUCID_UPDATE"

// Golden asserts that a Spec's graphs, for all platforms, are those that a file holds
// as text: what runs, from what, and the image's configuration. Nothing is built. The
// file is written when the environment variable LUCID_UPDATE is 1.
func Golden(t testing.TB, spec lucidbase.Spec, file string) {
	t.Helper()
	got, err := goldenText(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(updateEnv) == "1" {
		if err := writeGolden(file, got); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := compareGolden(file, got); err != nil {
		t.Fatal(err)
	}
}

// goldenText is the same on every machine: the platform of the build never is this
// one's.
func goldenText(ctx context.Context, spec lucidbase.Spec) (string, error) {
	var text strings.Builder
	for _, target := range lucidbase.AllPlatforms() {
		g, err := spec.Graph(lucidbase.Platforms{Target: target, Build: lucidbase.LinuxAMD64})
		if err != nil {
			return "", err
		}
		def, err := g.State.Marshal(ctx, llb.Platform(target), llb.LocalUniqueID("the engine's"))
		if err != nil {
			return "", fmt.Errorf("marshalling the graph: %w", err)
		}
		graph, err := llbtext.Graph(def, g)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "# %s\n%s", lucidbase.FormatPlatform(target), graph)
	}
	return text.String(), nil
}

func writeGolden(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// compareGolden names the first line that differs.
func compareGolden(file, got string) error {
	want, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w; %s=1 go test writes it", err, updateEnv)
	}
	if bytes.Equal(want, []byte(got)) {
		return nil
	}
	wants, gots := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	i := 0
	for i < min(len(wants), len(gots))-1 && wants[i] == gots[i] {
		i++
	}
	return fmt.Errorf("the graph is not that of %s: line %d is\n\t%s\nand was\n\t%s\nif it was meant to change, %s=1 go test writes it", file, i+1, gots[i], wants[i], updateEnv)
}
