package variants_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// withBase is a complete lock: the base's packages and further ones.
func withBase(locks *lock.Set, name string, tier lock.Tier, further ...lock.Packages) lock.Packages {
	complete := locked(append([]lock.Packages{locks.Python[tier]}, further...)...)
	complete.Base = lock.Base{Name: name, Digest: locks.Python[tier].Digest()}
	return complete
}

// withSystem is the lock of a Debian package on both platforms.
func withSystem(locks *lock.Set, name string) lock.System {
	s := lock.System{Packages: []string{name}, Suites: locks.Debian.Suites, Platforms: map[string]lock.SystemPlatform{}}
	for platform, p := range locks.Debian.Platforms {
		added := lock.Layer{Digest: "sha256:" + strings.Repeat("5", 64), Size: 4096, Packages: []lock.Package{{Name: name, Version: "1.0-1", Archive: "debian", Path: "pool/x.deb", Size: 7, SHA256: strings.Repeat("6", 64)}}}
		s.Platforms[platform] = lock.SystemPlatform{Base: p.Rootfs.Digest, Added: added}
	}
	return s
}

// gateway has all that a service can have.
func gateway(locks *lock.Set) variants.Service {
	return variants.Service{
		Name:   "gateway",
		Base:   variants.Python{Locks: locks, Version: "base", Env: map[string]string{"TEAM": "core", "LOG_LEVEL": "info"}, Labels: map[string]string{"team": "core"}},
		Lock:   withBase(locks, "python-base", lock.Python, pure("rich", "1", 300_000)),
		System: withSystem(locks, "libpq5"),
		Source: []variants.Source{
			{From: variants.Dir("services/gateway"), To: "/app/src", Exclude: []string{"tests"}},
			{From: variants.FS(fstest.MapFS{"__init__.py": {}}), To: "/app", Include: []string{"*.py"}},
		},
		Command:  []string{"python", "-m", "src.main"},
		Env:      map[string]string{"SERVICE_NAME": "gateway", "LOG_LEVEL": "debug", "PYTHONPATH": "/app/lib"},
		Labels:   map[string]string{"tier": "edge"},
		Port:     8000,
		Ports:    []int{9000},
		Health:   variants.Health{Path: "/health", Interval: 30 * time.Second, Timeout: 2 * time.Second, StartPeriod: 40 * time.Second, Retries: 5},
		Writable: []string{"/app/data", "/var/log/gateway"},
		Version:  "v1.2.3",
		Waivers:  []verify.Waiver{{Rule: "link", Path: "/app/src/x", Reason: "made at run time"}},
	}
}

func TestServiceConfig(t *testing.T) {
	locks := fixture(t)
	g, err := gateway(locks).Graph(onAMD64)
	require.NoError(t, err)
	base, err := variants.Python{Locks: locks}.Graph(onAMD64)
	require.NoError(t, err)
	c := g.Config.Config
	require.Equal(t, []string{"python", "-m", "src.main"}, c.Cmd)
	for _, env := range []string{"SERVICE_NAME=gateway", "LOG_LEVEL=debug", "TEAM=core", "PORT=8000", "PYTHONPATH=/app:/app/lib"} {
		require.Contains(t, c.Env, env)
	}
	require.Len(t, c.Env, len(base.Config.Config.Env)+5, "nothing else")
	require.Equal(t, map[string]struct{}{"8000/tcp": {}, "9000/tcp": {}}, c.ExposedPorts)
	require.Equal(t, map[string]struct{}{"/app/data": {}, "/var/log/gateway": {}}, c.Volumes)
	require.Equal(t, map[string]string{
		"org.opencontainers.image.title": "gateway", "org.opencontainers.image.version": "v1.2.3", "team": "core", "tier": "edge",
		variants.LockDigestLabel: gateway(locks).System.DigestWith(locks.Digest(lock.Python, gateway(locks).Lock)),
	}, c.Labels)
	for _, same := range []struct{ want, got any }{
		{base.Config.Config.User, c.User}, {base.Config.Config.Entrypoint, c.Entrypoint}, {base.Config.Config.WorkingDir, c.WorkingDir},
	} {
		require.Equal(t, same.want, same.got)
	}
	last := len(g.Config.History) - 1
	require.Equal(t, "lucidbase: rich 1", g.Config.History[last-1].CreatedBy)
	require.Equal(t, "lucidbase: source", g.Config.History[last].CreatedBy)
	require.Equal(t, "lucidbase: Debian packages libpq5", g.Config.History[2].CreatedBy, "above the base's, below the wheels")
	require.Equal(t, "1.0-1", g.Contract.Packages["libpq5"])
	require.Equal(t, gateway(locks).Waivers, g.Contract.Waivers)
	require.Equal(t, "1", g.Contract.Distributions["rich"])
	require.Equal(t, map[string]lucidbase.Local{
		"gateway-source-1": {Dir: "services/gateway", Exclude: []string{"**/.git", "**/__pycache__", "**/.dockerignore", "tests"}},
		"gateway-source-2": {FS: fstest.MapFS{"__init__.py": {}}, Include: []string{"*.py"}, Exclude: []string{"**/.git", "**/__pycache__", "**/.dockerignore"}},
	}, g.Locals)
}

func TestHealthConfig(t *testing.T) {
	check := func(b variants.Base, h variants.Health) *dockerspec.HealthcheckConfig {
		s := variants.Service{Name: "x", Base: b, Command: []string{"python"}, Port: 80, Health: h}
		g, err := s.Graph(onAMD64)
		require.NoError(t, err)
		return g.Config.Config.Healthcheck
	}
	debian, alpine := variants.Bare{Locks: fixture(t)}, variants.Alpine{Locks: fixture(t)}
	require.Nil(t, check(debian, variants.Health{}))

	path := check(debian, variants.Health{Path: "/up?x=1", Timeout: 2 * time.Second})
	require.Equal(t, []string{"CMD", "/usr/bin/python3.11", "-I", "-S", "-B", "-c"}, path.Test[:6])
	require.Equal(t, []string{"/up?x=1", "1.8"}, path.Test[7:])
	require.Equal(t, 2*time.Second, path.Timeout)
	tcp := check(alpine, variants.Health{TCP: true})
	require.Equal(t, "/usr/local/bin/python3.11", tcp.Test[1])
	require.Equal(t, []string{"", "9"}, tcp.Test[7:])
	require.Equal(t, &dockerspec.HealthcheckConfig{Test: []string{"CMD", "python", "-m", "src.check"}, Timeout: 10 * time.Second, Retries: 2},
		check(debian, variants.Health{Command: []string{"python", "-m", "src.check"}, Retries: 2}))
}

// A service without source is its base with a command.
func TestSmallestService(t *testing.T) {
	locks := fixture(t)
	base, err := variants.Alpine{Locks: locks}.Graph(onARM64)
	require.NoError(t, err)
	g, err := variants.Service{Name: "worker", Base: variants.Alpine{Locks: locks, Version: "v1"}, Command: []string{"python"}}.Graph(onARM64)
	require.NoError(t, err)
	require.Empty(t, g.Locals)
	require.NotContains(t, g.Config.Config.Labels, "org.opencontainers.image.version", "the base's is another one's")
	require.Equal(t, base.Config.History, g.Config.History)
	require.Empty(t, g.Config.Config.ExposedPorts)
	require.Contains(t, g.Config.Config.Env, "PYTHONPATH=/app")
}

// What the base has already makes no layer, and is in the label.
func TestSystemOfTheBase(t *testing.T) {
	locks := fixture(t)
	s := variants.Service{Name: "x", Base: variants.Bare{Locks: locks}, Command: []string{"python"}}
	without, err := s.Graph(onAMD64)
	require.NoError(t, err)
	s.System = withSystem(locks, "tini")
	s.System.Platforms["linux/amd64"] = lock.SystemPlatform{Base: locks.Debian.Platforms["linux/amd64"].Rootfs.Digest}
	with, err := s.Graph(onAMD64)
	require.NoError(t, err)
	require.Equal(t, without.Config.History, with.Config.History)
	require.NotEqual(t, without.Config.Config.Labels, with.Config.Config.Labels)
	require.Equal(t, without.Inputs, with.Inputs)
}

// A base can be a function's, and a Debian of one's own.
func TestServiceOnABaseOfOnesOwn(t *testing.T) {
	company := func() variants.Base {
		return variants.Debian{Name: "company-base", Tier: lock.Python, Options: variants.Options{Locks: fixture(t)}}
	}
	s := gateway(fixture(t))
	s.Base = company()
	_, err := s.Graph(onARM64)
	require.NoError(t, err)
}

// The source is one step for all platforms: its layer has one digest.
func TestSourceIsMadeOnce(t *testing.T) {
	_, amd64 := packageLayers(t, gateway(fixture(t)), onAMD64)
	_, arm64 := packageLayers(t, gateway(fixture(t)), onARM64)
	require.Equal(t, amd64["source"], arm64["source"])
}

func TestWrongServiceFieldsAreReportedAtOnce(t *testing.T) {
	locks := fixture(t)
	foreign := withBase(locks, "base", lock.Python)
	foreign.Targets = []string{"musllinux_1_2_x86_64"}
	foreign.Requirements = append(foreign.Requirements, foreign.Requirements[0])
	_, err := variants.Service{
		Name: "Gate Way",
		Base: variants.Python{Locks: locks, Packages: pure("rich", "1", 1)},
		Lock: foreign,
		Source: []variants.Source{
			{To: "/app"},
			{From: variants.Dir("src"), To: "/srv"},
			{From: variants.Dir("src"), To: "/app/../etc"},
			{From: variants.Dir("src"), To: "/app/src/"},
			{From: variants.Dir("src"), To: "/app/own/src"},
		},
		Env:    map[string]string{"1BAD": "x", "PORT": "80"},
		Labels: map[string]string{"": "x"},
		Port:   70000,
		Ports:  []int{0, 9000, 9000},
		Health: variants.Health{Path: "health", TCP: true, Timeout: time.Microsecond, Retries: -1},
		Writable: []string{
			"data", "/app", "/app/own", "/usr/share/x", "/tmp/x", "/opt/venv", "/var/run/x", "/home/nonroot/.cache", "/app/a", "/app/a", "/a:b", "/app/../x",
		},
		Waivers: []verify.Waiver{{Rule: "link", Path: "/x"}},
	}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64})
	for _, want := range []string{
		`Gate Way: Name: "Gate Way" is not the name of an image`,
		"Base: it has Packages",
		"Lock: it was locked with base, and Base is python-base",
		"Lock: locked for musllinux_1_2_x86_64, and not for manylinux_2_36_x86_64",
		"listed twice",
		`Source[0].From: missing, such as variants.Dir("src")`,
		`Source[1].To: "/srv" is not /app or a path below it`,
		`Source[2].To: "/app/../etc" is not /app or a path below it`,
		`Source[3].To: "/app/src/" is not /app or a path below it`,
		`Env: "1BAD"`,
		`Env: PORT is "80", and Port is 70000`,
		"Labels: ",
		"Port: 70000 is not from 1 to 65535",
		"Port: 0 is not from 1 to 65535",
		"Port: 9000: listed twice",
		"Command: missing",
		"Health: more than one of Path, TCP and Command",
		`Health: Path "health" is not the path of a URL`,
		"Health: Timeout 1µs is less than 1ms",
		"Health: Retries is negative",
		`Writable: "data" is not a clean absolute path`,
		"Writable: /app is the system's",
		"Writable: /app/own has source in it",
		"Writable: /usr/share/x is the system's",
		"Writable: /tmp/x is the system's",
		"Writable: /opt/venv is the system's",
		"Writable: /var/run/x is the system's",
		"Writable: /home/nonroot/.cache: name the whole of /home/nonroot",
		"Writable: /app/a: listed twice",
		`Writable: "/a:b" is not a clean absolute path`,
		`Writable: "/app/../x" is not a clean absolute path`,
		"Waivers: ",
		"Platforms.Build",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "Source[4]")
}

func TestWrongServiceFields(t *testing.T) {
	locks := fixture(t)
	for want, change := range map[string]func(*variants.Service){
		"Base: missing, such as variants.Python{}":                                                                 func(s *variants.Service) { s.Base = nil },
		`run "lucidbase lock -r FILE --base python-base"`:                                                          func(s *variants.Service) { s.Lock.Base = lock.Base{} },
		"gateway: Command: /usr/bin/python3.11 has none of the packages, which are in /opt/venv: write \"python\"": func(s *variants.Service) { s.Command = []string{"/usr/bin/python3.11", "/app/x.py"} },
		"gateway: Health: /usr/bin/python3 has none of the packages": func(s *variants.Service) {
			s.Health = variants.Health{Command: []string{"/usr/bin/python3", "-c", "1"}}
		},
		"gateway: Health: Path and TCP need a Port":                                  func(s *variants.Service) { s.Port = 0 },
		"Health: nothing is checked":                                                 func(s *variants.Service) { s.Health.Path = "" },
		"Health: Path \"/a b\"":                                                      func(s *variants.Service) { s.Health.Path = "/a b" },
		"has an empty program or a NUL byte":                                         func(s *variants.Service) { s.Command = []string{""} },
		"Health: Interval -1s is less than 1ms":                                      func(s *variants.Service) { s.Health.Interval = -time.Second },
		"Lock: locked for manylinux_2_36_x86_64, and not for manylinux_2_36_aarch64": func(s *variants.Service) { s.Lock.Targets = s.Lock.Targets[:1] },
		"Lock: \"rich\": normalised name, version or files are missing":              func(s *variants.Service) { s.Lock.Requirements[len(s.Lock.Requirements)-1].Wheels = nil },
		"System: libpq5: locked with another version of the base than this one: lock them again": func(s *variants.Service) {
			s.System.Platforms["linux/arm64"] = lock.SystemPlatform{Base: "sha256:0"}
		},
		"System: not locked for linux/arm64":                                            func(s *variants.Service) { delete(s.System.Platforms, "linux/arm64") },
		"System: Debian packages are for a base of Debian, and alpine-base is none":     func(s *variants.Service) { s.Base = variants.Alpine{Locks: locks} },
		"Port: 8000: listed twice":                                                      func(s *variants.Service) { s.Ports = []int{8000} },
		"Writable: /app/src has source in it, which nobody may change":                  func(s *variants.Service) { s.Writable = []string{"/app/src"} },
		"Source[0].From: missing":                                                       func(s *variants.Service) { s.Source[0].From = variants.FS(nil) },
		`Name: "" is not the name of an image: lower-case letters and digits, with . _`: func(s *variants.Service) { s.Name = "" },
	} {
		t.Run(want, func(t *testing.T) {
			s := gateway(locks)
			change(&s)
			_, err := s.Graph(onARM64)
			require.ErrorContains(t, err, want)
		})
	}
	s := gateway(locks)
	s.Command, s.Env = []string{"/usr/bin/python3.11", "/app/x.py"}, map[string]string{"PYTHONPATH": "/opt/venv/lib/python3.11/site-packages"}
	require.NoError(t, s.Validate())
	s.Port, s.Health = 0, variants.Health{Path: "x", Retries: -1}
	var field *variants.FieldError
	require.ErrorAs(t, s.Validate(), &field)
	require.Equal(t, "Health", field.Field)
}

// A service is a base image, packages, source, and how it runs.
func ExampleService() {
	locks := small()
	layers(variants.Service{
		Name:    "gateway",
		Base:    variants.Python{Locks: locks},
		Lock:    withBase(locks, "python-base", lock.Python, pure("rich", "1", 300_000)),
		Source:  []variants.Source{{From: variants.Dir("src"), To: "/app/src"}},
		Command: []string{"python", "-m", "src.main"},
		Port:    8000,
		Health:  variants.Health{Path: "/health"},
	})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: pymongo 4.15.0
	// lucidbase: idna 3.10
	// lucidbase: markupsafe 3.0.0
	// lucidbase: pydantic-core 2.41.0
	// lucidbase: fastapi 0.100.0
	// lucidbase: rich 1
	// lucidbase: source
}

// What many services share is a function.
func ExampleService_shared() {
	core := func(s variants.Service) variants.Service {
		s.Base = variants.Bare{Locks: small()}
		s.Labels = map[string]string{"team": "core"}
		s.Env = map[string]string{"LOG_LEVEL": "info"}
		return s
	}
	for _, s := range []variants.Service{
		core(variants.Service{Name: "orders", Command: []string{"python", "-m", "orders"}}),
		core(variants.Service{Name: "sessions", Command: []string{"python", "-m", "sessions"}}),
	} {
		g, err := s.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64})
		fmt.Println(s.Name, g.Config.Config.Labels["team"], err)
	}
	// Output:
	// orders core <nil>
	// sessions core <nil>
}
