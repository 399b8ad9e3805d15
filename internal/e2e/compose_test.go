//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/lucidbase/deploy"
	"github.com/lucid-project/base-images/variants"
)

// Docker's own Compose reads what is written, and so does Debian's docker-compose, which
// is another implementation than the one whose types the files are made with.
func TestLongComposeConfig(t *testing.T) {
	if _, err := exec.LookPath("docker-compose"); err != nil {
		missing(t, "docker-compose reads what is written")
	}
	services := []variants.Service{
		{
			Name: "gateway", Base: variants.Python{}, Command: []string{"python", "-m", "src.main"}, Port: 8000,
			Health: variants.Health{Path: "/health"}, Writable: []string{"/app/data"}, Env: map[string]string{"AUTH": "http://auth:8000"},
		},
		{Name: "auth", Base: variants.Alpine{}, Command: []string{"python", "-m", "src.main"}, Port: 8000, Health: variants.Health{TCP: true}},
	}
	images := deploy.References{}
	for _, s := range services {
		images[s.Name] = "lucid/" + s.Name + ":v1@sha256:" + strings.Repeat("0", 64)
	}
	dir := t.TempDir()
	write := func(name string, content []byte, err error) string {
		require.NoError(t, err)
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, content, 0o644))
		return file
	}
	overlay, err := deploy.Overlay(services, images)
	over := write("compose.lucid.yaml", overlay, err)
	whole, err := deploy.Compose(services, images)
	full := write("full.yaml", whole, err)
	theirs := write("compose.yaml", []byte("services:\n  gateway:\n    build: .\n    user: root\n    volumes: ['./data:/app/data']\n  auth:\n    image: auth\n"), nil)

	v5 := dockertest.Compose(t)
	for _, args := range [][]string{
		{"docker-compose", "-f", theirs, "-f", over}, {"docker-compose", "-f", full}, {v5, "-f", theirs, "-f", over}, {v5, "-f", full},
	} {
		var got struct {
			Services map[string]struct {
				Image       string
				User        string
				ReadOnly    bool     `yaml:"read_only"`
				CapDrop     []string `yaml:"cap_drop"`
				Healthcheck struct{ Test []string }
				Volumes     []any
			}
		}
		printed := output(t, args[0], append(args[1:], "config")...)
		require.NoError(t, yaml.Unmarshal([]byte(printed), &got), printed)
		require.Len(t, got.Services, 2)
		for name, s := range got.Services {
			require.Equal(t, images[name], s.Image)
			require.Equal(t, "65532:65532", s.User)
			require.True(t, s.ReadOnly)
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			require.Equal(t, "CMD", s.Healthcheck.Test[0])
		}
		require.Len(t, got.Services["gateway"].Volumes, 1)
	}
}
