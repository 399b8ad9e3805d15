package file_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// tree is a directory with a file in it.
func tree(text string) fstest.MapFS {
	return fstest.MapFS{
		"app/lucidbase.yaml":       {Data: []byte(text)},
		"app/src/main.py":          {Data: []byte("print(1)\n")},
		"common/lib.py":            {},
		"app/own.lock.txt":         {Data: []byte("# nothing\n")},
		"app/own.lock.toml":        {Data: lock.Packages{Targets: lock.WheelTargets(), Base: lock.Base{Name: "base", Digest: "sha256:" + strings.Repeat("a", 64)}}.FormatTOML()},
		"app/all.system.lock.json": {Data: system("libpq5")},
		"app/plain.txt":            {Data: []byte("requests\n")},
		"app/plain.lock.txt":       {Data: []byte("requests\n")},
		"app/broken.lock.txt":      {Data: []byte("requests==1.0 --hash=sha256:" + strings.Repeat("a", 64) + "\n")},
	}
}

// system is a lock of Debian packages.
func system(packages ...string) []byte {
	return lock.System{
		Packages:  packages,
		Suites:    []lock.Suite{{Archive: "debian", Name: "bookworm", Date: time.Unix(0, 0).UTC(), Key: strings.Repeat("A", 40)}},
		Platforms: map[string]lock.SystemPlatform{"linux/amd64": {Base: "sha256:" + strings.Repeat("b", 64)}},
	}.Format()
}

func load(text string) (map[string]variants.Service, error) {
	return file.Load(tree(text), "app/lucidbase.yaml")
}

const full = `
defaults:
  base: python
  labels: {team: core, tier: web}
  env: {A: one, B: 2}
  writable: [/data]
  source:
    - {from: ../common, to: /app/common}
  health: {interval: 5s, timeout: 1m30s}
  waivers:
    - {rule: link, path: /etc/localtime, reason: mounted}
services:
  gateway:
    base: base
    lock: own.lock.txt
    labels: {tier: edge}
    env:
      B: three
      WORKERS: 4
      RATIO: 1.50
    writable: [/cache]
    source:
      - from: src
        to: /app/src
        include: ['**/*.py']
        exclude: [tests]
    command: [python, -m, src.main, --port, 8000]
    port: 8000
    ports: [9000, 9001]
    health: {path: /health, start_period: 10s, retries: 2}
    version: 1.10
  worker:
    command: [python]
    health: {tcp: true, command: [python, -V]}
`

func TestLoad(t *testing.T) {
	services, err := load(full)
	require.NoError(t, err)
	require.Len(t, services, 2)
	g := services["gateway"]
	require.Equal(t, "base", g.Lock.Base.Name)
	for i := range g.Source {
		require.NotZero(t, g.Source[i].From)
		g.Source[i].From = variants.From{}
	}
	g.Lock = lock.Packages{}
	waivers := []verify.Waiver{{Rule: "link", Path: "/etc/localtime", Reason: "mounted"}}
	require.Equal(t, variants.Service{
		Name: "gateway", Base: variants.Standard{}, Version: "1.10",
		Labels:   map[string]string{"team": "core", "tier": "edge"},
		Env:      map[string]string{"A": "one", "B": "three", "WORKERS": "4", "RATIO": "1.50"},
		Writable: []string{"/cache"},
		Source:   []variants.Source{{To: "/app/common"}, {To: "/app/src", Include: []string{"**/*.py"}, Exclude: []string{"tests"}}},
		Command:  []string{"python", "-m", "src.main", "--port", "8000"},
		Port:     8000, Ports: []int{9000, 9001}, Waivers: waivers,
		Health: variants.Health{Path: "/health", Interval: 5 * time.Second, Timeout: 90 * time.Second, StartPeriod: 10 * time.Second, Retries: 2},
	}, g)
	w := services["worker"]
	require.Equal(t, variants.Python{}, w.Base)
	require.Equal(t, map[string]string{"team": "core", "tier": "web"}, w.Labels, "one service changed another")
	require.Equal(t, map[string]string{"A": "one", "B": "2"}, w.Env)
	require.Len(t, w.Source, 1)
	require.Equal(t, []string{"/data"}, w.Writable)
	require.Equal(t, variants.Health{TCP: true, Command: []string{"python", "-V"}, Interval: 5 * time.Second, Timeout: 90 * time.Second}, w.Health)
}

// Everything that is wrong is an error with its place, in the order of the file.
func TestErrors(t *testing.T) {
	_, err := load(strings.TrimPrefix(`
default: {}
defaults:
  base: pyton-base
  command: python
services:
  a:
    prot: 1
    Port: 8000
    environment: {}
    port: "8000"
    ports: [1, x, 2.5]
    lock: none.lock.txt
    source:
      - {from: missing, to: /app}
      - {from: src/main.py}
      - {from: /etc}
      - {from: ../../etc}
      - src
    env: {A: true, B: , C: [1], A: x}
    health: {interval: 30, tcp: 1}
    version:
  b: &b
    lock: plain.txt
    command: [*b]
  c: *b
  a: {}
  d:
    <<: *b
    lock: broken.lock.txt
  e:
  f: {lock: plain.lock.txt}
`, "\n"))
	require.Error(t, err)
	require.Equal(t, strings.TrimSpace(`
app/lucidbase.yaml:1:1: unknown key "default"; did you mean defaults?
app/lucidbase.yaml:3:9: no base image "pyton-base"; did you mean python-base?
app/lucidbase.yaml:4:12: "python" where a list is needed
app/lucidbase.yaml:7:5: unknown key "prot"; did you mean port?
app/lucidbase.yaml:8:5: unknown key "Port"; did you mean port?
app/lucidbase.yaml:9:5: unknown key "environment"; known are base, lock, system, source, command, env, labels, port, ports, health, writable, version, waivers
app/lucidbase.yaml:10:11: "8000" where a whole number is needed
app/lucidbase.yaml:11:16: "x" where a whole number is needed
app/lucidbase.yaml:11:19: "2.5" where a whole number is needed
app/lucidbase.yaml:12:11: no such lock: "lucidbase lock -f app/lucidbase.yaml" writes it
app/lucidbase.yaml:14:16: "missing": no such directory
app/lucidbase.yaml:15:16: "src/main.py" is not a directory
app/lucidbase.yaml:16:16: "/etc" is not a path relative to the file, with slashes
app/lucidbase.yaml:17:16: "../../etc" leads out
app/lucidbase.yaml:18:9: "src" where a mapping is needed
app/lucidbase.yaml:19:14: true where text is needed: quote it
app/lucidbase.yaml:19:23: nothing where text is needed
app/lucidbase.yaml:19:28: a list where text is needed
app/lucidbase.yaml:19:33: "A" is already on line 19
app/lucidbase.yaml:20:24: "30" where a time such as 30s or 1m30s is needed
app/lucidbase.yaml:20:33: "1" where true or false is needed
app/lucidbase.yaml:21:13: nothing where text is needed
app/lucidbase.yaml:23:11: plain.txt: a list without hashes, and no lock: name plain.lock.txt, which "lucidbase lock -f app/lucidbase.yaml" writes
app/lucidbase.yaml:24:15: an alias: what services share belongs into defaults
app/lucidbase.yaml:25:6: an alias: what services share belongs into defaults
app/lucidbase.yaml:26:3: "a" is already on line 6
app/lucidbase.yaml:28:9: an alias: what services share belongs into defaults
app/lucidbase.yaml:29:11: broken.lock.txt: there is no broken.lock.toml: the lock does not say which files are for which platform
app/lucidbase.yaml:30:5: nothing where a mapping is needed
app/lucidbase.yaml:31:13: plain.lock.txt: a list without hashes, and no lock: "lucidbase lock -f app/lucidbase.yaml" writes it
`), err.Error())
}

// What is no file of services at all is refused at its place, too.
func TestNoFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "yaml:1:1: ",
		"# nothing\n":                "yaml:1:1: ",
		"services: {}":               "yaml:1:1: no services",
		"defaults: {}":               "yaml:1:1: no services",
		"[]":                         "yaml:1:1: a list where a mapping is needed",
		"services: [a]":              "yaml:1:11: a list where a mapping is needed",
		"a: b\n c: d: e\n":           "yaml:2:3: mapping values are not allowed",
		"a:\n\tb: c\n":               "yaml:2:1: ",
		"services: \x00":             "yaml:1:",
		"a: \xff":                    "yaml:1:",
		"services: {a: {}}\n---\n{}": "yaml:1:1: expected single document",
		"services: {[a]: {}}":        "yaml:1:12: a key must be text",
		"services: *a":               "yaml:1:11: unknown anchor",
		"services: {a: !x {}}":       "unknown",
		strings.Repeat("[", 100000):  "exceeded max depth",
		"services: {" + strings.Repeat("a", 300<<10) + ": {}}": "larger than 256 KiB",
	} {
		_, err := load(text)
		require.ErrorContains(t, err, want, "%.60q", text)
	}
	_, err := file.Load(fstest.MapFS{}, "lucidbase.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// An alias is not followed, so that one of aliases of aliases costs what its text does.
func TestBomb(t *testing.T) {
	text := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 30 {
		text += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 8), i)
	}
	_, err := load(text + "services: {a: {command: [*a30]}}\n")
	require.ErrorContains(t, err, "an alias")
	_, err = load("services: &s {a: *s}")
	require.ErrorContains(t, err, "an alias")
}

// What is wrong in a hostile file is not told to its end.
func TestManyErrors(t *testing.T) {
	_, err := load("services: {a: {" + strings.Repeat("x: 1, ", 40_000) + "}}")
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 101)
	require.Equal(t, "app/lucidbase.yaml: 39900 more errors", lines[100])
}

// A service of a file is the same as one in Go.
func TestGraph(t *testing.T) {
	services, err := load("services: {a: {base: bare, command: [python, -m, main], source: [{from: src, to: /app}]}}")
	require.NoError(t, err)
	g, err := services["a"].Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	require.NoError(t, err)
	require.Len(t, g.Locals, 1)
	require.Equal(t, []string{"python", "-m", "main"}, g.Config.Config.Cmd)
}

func FuzzLoad(f *testing.F) {
	f.Add(full)
	f.Add("services: {a: &a {base: bare, <<: *a}}")
	f.Add("defaults:\n  env: {A: 1}\nservices:\n  ? x\n  : {command: [a], ports: [0x10, 1_000, 9223372036854775808]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		services, err := load(text)
		if err == nil {
			require.NotEmpty(t, services)
			return
		}
		for line := range strings.Lines(err.Error()) {
			require.Regexp(t, `^app/lucidbase\.yaml:([0-9]+:[0-9]+: )?`, line)
		}
	})
}

// The lock of a list of Debian packages is named for the service or, of defaults, for
// the file.
func TestSystem(t *testing.T) {
	fsys := tree(`
defaults: {system: [tini, libpq5]}
services:
  all: {system: [libpq5]}
  none: {system: []}
  some: {}
`)
	fsys["app/lucidbase.system.lock.json"] = &fstest.MapFile{Data: system("libpq5", "tini")}
	services, err := file.Load(fsys, "app/lucidbase.yaml")
	require.NoError(t, err)
	require.Equal(t, []string{"libpq5"}, services["all"].System.Packages)
	require.Equal(t, []string{"libpq5", "tini"}, services["some"].System.Packages)
	require.True(t, services["none"].System.IsZero())
}

func TestSystemErrors(t *testing.T) {
	_, err := load(`services:
  a: {system: [libpq5]}
  all: {system: [libpq5, libmagic1]}
  b: {system: [libpq5, Lib_Pq, libpq5, {}]}
  ../c: {system: [libpq5]}
`)
	require.EqualError(t, err, strings.Join([]string{
		`app/lucidbase.yaml:2:15: no a.system.lock.json, the packages' lock: "lucidbase lock -f app/lucidbase.yaml" writes it`,
		`app/lucidbase.yaml:3:17: all.system.lock.json is the lock of libpq5: "lucidbase lock -f app/lucidbase.yaml" writes it again`,
		`app/lucidbase.yaml:4:24: "Lib_Pq" is not the name of a Debian package`,
		`app/lucidbase.yaml:4:32: libpq5 is listed twice`,
		`app/lucidbase.yaml:4:40: a mapping where the name of a Debian package is needed`,
		`app/lucidbase.yaml:5:18: "../c", the service's name, is not the name of a file`,
	}, "\n"))
}

// What makes no sense in a service is said at its place: in the service, or in what it
// shares with others.
func TestValidate(t *testing.T) {
	text := `defaults:
  base: bare-base
  port: 0
  command: [python]
services:
  a:
    port: 70000
    writable:
      - /app/data
      - /usr/x
    health: {path: x}
    source:
      - {from: src, to: /srv}
  b:
    health: {tcp: true}
`
	fsys := fstest.MapFS{"f.yaml": {Data: []byte(text)}, "src/a.py": {}}
	_, err := file.Load(fsys, "f.yaml")
	require.NoError(t, err)
	_, err = file.Reader{FS: fsys, Name: "f.yaml", Validate: true}.Services()
	require.EqualError(t, err, `f.yaml:7:11: Port: 70000 is not from 1 to 65535
f.yaml:9:7: Writable: /usr/x is the system's
f.yaml:11:13: Health: Path "x" is not the path of a URL
f.yaml:13:25: Source[0].To: "/srv" is not /app or a path below it
f.yaml:15:13: Health: Path and TCP need a Port`)
}
