package deploy

import (
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/variants"
)

// load reads files as "docker compose" does, one over the other.
func load(t *testing.T, files ...string) *types.Project {
	t.Helper()
	details := types.ConfigDetails{WorkingDir: t.TempDir(), Environment: types.Mapping{"HOME": "/root"}}
	for _, content := range files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: "compose.yaml", Content: []byte(content)})
	}
	p, err := loader.LoadWithContext(t.Context(), details, func(o *loader.Options) { o.SetProjectName("test", true) })
	require.NoError(t, err)
	return p
}

const existing = `
services:
  gateway:
    build: .
    image: gateway:latest
    user: root
    ports: ["8000:8000"]
    volumes: ["./data:/app/data"]
    tmpfs: ["/run"]
    environment: {LOG_LEVEL: debug}
    depends_on: [redis]
    healthcheck: {test: "curl -f http://localhost:8000/health", interval: 5s}
  redis:
    image: redis:7
`

func TestOverlayOverExistingFile(t *testing.T) {
	services := family()[:1]
	overlay, err := Overlay(services, images(services))
	require.NoError(t, err)
	p := load(t, existing, string(overlay))

	got := p.Services["gateway"]
	require.Equal(t, images(services)["gateway"], got.Image)
	require.Equal(t, "65532:65532", got.User)
	require.True(t, got.ReadOnly)
	require.Equal(t, []string{"ALL"}, got.CapDrop)
	require.Equal(t, []string{"no-new-privileges:true"}, got.SecurityOpt)
	require.ElementsMatch(t, []string{"/run", "/tmp"}, got.Tmpfs)
	require.Equal(t, "missing", got.PullPolicy)
	require.Equal(t, "CMD", got.HealthCheck.Test[0])
	require.Equal(t, types.Duration(20*time.Second), *got.HealthCheck.StartPeriod)
	require.Equal(t, types.Duration(5*time.Second), *got.HealthCheck.Interval, "it is not said: theirs stays")

	require.Equal(t, "8000", got.Ports[0].Published)
	require.Len(t, got.Volumes, 1)
	require.Equal(t, types.VolumeTypeBind, got.Volumes[0].Type)
	require.Contains(t, got.DependsOn, "redis")
	require.Equal(t, "debug", *got.Environment["LOG_LEVEL"])
	require.Empty(t, got.Command)
	require.Equal(t, "redis:7", p.Services["redis"].Image)
	require.False(t, p.Services["redis"].ReadOnly)
}

func TestComposeLoads(t *testing.T) {
	data, err := Compose(family(), images(family()))
	require.NoError(t, err)
	p := load(t, string(data))
	require.Len(t, p.Services, 4)

	gateway := p.Services["gateway"]
	require.Equal(t, map[string]string{"user_auth": "service_healthy"}, conditions(gateway))
	require.Equal(t, map[string]string{"gateway": "service_healthy", "user_auth": "service_healthy"}, conditions(p.Services["plain"]))
	require.Equal(t, "8000", gateway.Ports[0].Published)
	require.Empty(t, p.Services["user_auth"].Ports[0].Published, "gateway has 8000")
	require.Equal(t, "gateway_app-data", gateway.Volumes[0].Source)
	require.Contains(t, p.Volumes, "gateway_app-data")
	require.Equal(t, "print('$HOME')", p.Services["worker"].HealthCheck.Test[3], "a dollar sign is none of Compose's")
}

func conditions(s types.ServiceConfig) map[string]string {
	all := map[string]string{}
	for name, dependency := range s.DependsOn {
		all[name] = dependency.Condition
	}
	return all
}

// What waits for a service without a health check waits for its start.
func TestComposeWithoutHealth(t *testing.T) {
	services := []variants.Service{
		{Name: "one", Base: variants.Python{}, Command: []string{"python"}, Env: map[string]string{"TWO_HOST": "two"}},
		{Name: "two", Base: variants.Python{}, Command: []string{"python"}},
	}
	data, err := Compose(services, images(services))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"two": "service_started"}, conditions(load(t, string(data)).Services["one"]))
}

// The image's health check is in the file as it is in the image.
func TestHealthCheckUnchanged(t *testing.T) {
	services := family()
	all, err := members(services, images(services))
	require.NoError(t, err)
	data, err := Overlay(services, images(services))
	require.NoError(t, err)
	p := load(t, string(data))
	for _, m := range all {
		if m.config.Healthcheck == nil {
			require.Nil(t, p.Services[m.Name].HealthCheck)
			continue
		}
		require.Equal(t, m.config.Healthcheck.Test, []string(p.Services[m.Name].HealthCheck.Test), m.Name)
	}
}
