package deploy

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/variants"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "after a change that should be: go test ./lucidbase/deploy -update")
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// family has a service of each kind: one that others need, one that needs them, and
// one that listens nowhere.
func family() []variants.Service {
	return []variants.Service{
		{
			Name: "gateway", Base: variants.Python{}, Command: []string{"python", "-m", "src.main"},
			Port: 8000, Ports: []int{9090}, Health: variants.Health{Path: "/health", StartPeriod: 20 * time.Second},
			Env:      map[string]string{"AUTH_URL": "http://user_auth:8000/v1", "TOPIC": "worker"},
			Writable: []string{"/app/data", "/var/lib/gateway"},
		},
		{
			Name: "user_auth", Base: variants.Alpine{}, Command: []string{"python", "-m", "src.main"},
			Port: 8000, Health: variants.Health{TCP: true, Interval: 1500 * time.Millisecond, Retries: 5},
			Env: map[string]string{"WORKER_HOST": "worker"},
		},
		{
			Name: "worker", Base: variants.Python{}, Command: []string{"celery", "-A", "src.tasks", "worker"},
			Health: variants.Health{Command: []string{"python", "-c", "print('$HOME')"}},
		},
		{
			Name: "plain", Base: variants.Python{}, Command: []string{"python", "-m", "http.server"}, Port: 8080,
			Env: map[string]string{"PEERS": "gateway:8000,user_auth:8000"},
		},
	}
}

func images(services []variants.Service) References {
	all := References{}
	for _, s := range services {
		all[s.Name] = "registry.example.com/lucid/" + s.Name + ":v1@" + digest
	}
	return all
}

var writers = map[string]func([]variants.Service, References) ([]byte, error){
	"compose.lucid.yaml": Overlay, "compose.yaml": Compose, "kubernetes.yaml": Kubernetes,
}

func TestGolden(t *testing.T) {
	for name, write := range writers {
		got, err := write(family(), images(family()))
		require.NoError(t, err, name)
		golden(t, name, got)
	}
}

// The order in which services are given does not matter.
func TestOrder(t *testing.T) {
	services := family()
	services[0], services[3] = services[3], services[0]
	for name, write := range writers {
		for range 10 {
			got, err := write(services, images(services))
			require.NoError(t, err, name)
			golden(t, name, got)
		}
	}
}

func TestErrors(t *testing.T) {
	good := family()[1]
	with := func(change func(*variants.Service)) []variants.Service {
		s := good
		change(&s)
		return []variants.Service{good, s}
	}
	tests := []struct {
		name     string
		services []variants.Service
		images   References
		want     string
	}{
		{"no image", []variants.Service{good}, nil, "user_auth: no image is known"},
		{"no digest", []variants.Service{good}, References{good.Name: "lucid/auth:v1"}, "user_auth: image lucid/auth:v1: it has no digest"},
		{"no reference", []variants.Service{good}, References{good.Name: "lucid/A B"}, `user_auth: image "lucid/A B": invalid reference format`},
		{"same name", []variants.Service{good, good}, nil, "user_auth: two services have this name"},
		{"wrong service", with(func(s *variants.Service) { s.Name, s.Port = "other", 70000 }), nil, "other: Port: 70000"},
		{"same volume", with(func(s *variants.Service) { s.Name, s.Writable = "other", []string{"/app/a-b", "/app/a/b"} }), nil, "other: Writable: the volumes of /app/a-b and /app/a/b would have the same name, app-a-b"},
		{"the volume of /tmp", with(func(s *variants.Service) { s.Name, s.Writable = "other", []string{"/Tmp"} }), nil, "other: Writable: the volumes of /tmp and /Tmp would have the same name, tmp"},
		{"no name for a volume", with(func(s *variants.Service) { s.Name, s.Writable = "other", []string{"/ü"} }), nil, "other: Writable: /ü has no letter or digit to name a volume by"},
	}
	for _, test := range tests {
		for _, write := range writers {
			given := test.images
			if given == nil && test.name != "no image" {
				given = images(test.services)
			}
			_, err := write(test.services, given)
			require.ErrorContains(t, err, test.want, test.name)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	services := family()
	services[1].Port = -1
	_, err := Compose(services, References{"worker": "lucid/worker"})
	for _, want := range []string{"gateway: no image", "user_auth: Port", "worker: image lucid/worker: it has no digest", "plain: no image"} {
		require.ErrorContains(t, err, want)
	}
}

func TestKubernetesNames(t *testing.T) {
	named := func(names ...string) (all []variants.Service) {
		for _, name := range names {
			s := family()[1]
			s.Name = name
			all = append(all, s)
		}
		return all
	}
	for _, test := range []struct {
		services []variants.Service
		want     string
	}{
		{named("a_b", "a.b"), "a_b: a.b has the same name in Kubernetes, a-b"},
		{named("1st"), "1st: Name: as the name of a Kubernetes Service: "},
		{named(strings.Repeat("a", 64)), "Name: as the name of a Kubernetes Service: must be no more than 63"},
	} {
		_, err := Kubernetes(test.services, images(test.services))
		require.ErrorContains(t, err, test.want)
	}
	long := family()[1]
	long.Writable = []string{"/app/" + strings.Repeat("a", 64)}
	_, err := Kubernetes([]variants.Service{long}, images([]variants.Service{long}))
	require.ErrorContains(t, err, "as the name of a Kubernetes volume: must be no more than 63")
}

func TestDependencies(t *testing.T) {
	tests := []struct {
		name, variable, value string
		waits                 bool
	}{
		{"URL", "AUTH", "http://auth:8000/x", true},
		{"URL without a port", "AUTH", "https://auth/x", true},
		{"URL with a password", "DB", "redis://:secret@auth:6379/0", true},
		{"list of URLs", "DB", "mongodb://one:1,auth:2/x", true},
		{"host and port", "AUTH", "auth:8000", true},
		{"host", "AUTH_HOST", "auth", true},
		{"word", "SERVICE_NAME", "auth", false},
		{"longer host", "AUTH", "http://auth.example.com:8000/auth", false},
		{"path", "CACHE", "/auth:80", false},
		{"other word", "MODE", "auth:none", false},
	}
	for _, test := range tests {
		one := member{Service: variants.Service{Name: "one"}}
		one.config.Env = []string{test.variable + "=" + test.value}
		got := dependencies([]member{one, {Service: variants.Service{Name: "auth"}}})
		require.Equal(t, test.waits, len(got["one"]) == 1, test.name)
	}
}

// Services that need each other do not wait: Compose refuses a cycle.
func TestDependenciesInCircle(t *testing.T) {
	var all []member
	for name, needs := range map[string]string{"a": "b", "b": "c", "c": "a", "d": "a", "e": "e"} {
		m := member{Service: variants.Service{Name: name}}
		m.config.Env = []string{"PEER=http://" + needs + ":80"}
		all = append(all, m)
	}
	got := dependencies(all)
	require.Len(t, got, 1)
	require.Equal(t, "a", got["d"][0].Name)
}
