package migrate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/migrate"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var update = flag.Bool("update", false, "write the golden files")

// key is what a private key looks like, in a form that nothing takes for one in this file.
var key = strings.ReplaceAll("-----BEGIN _-----\nMIIEowIBAAKCAQEAx1Zb3Q9uL5r7pKq2\n-----END _-----\n", "_", "PRIVATE KEY")

// tree is a context that has what the Dockerfiles of testdata copy.
func tree() fstest.MapFS {
	t := fstest.MapFS{".dockerignore": {Data: []byte("tests\nignored.env\n")}, ".git/HEAD": {}, "secretsrc/server.pem": {Data: []byte(key)}}
	for _, name := range []string{
		"requirements.txt", "requirements-extra.txt", "orders/requirements.txt", "orders/entrypoint.py", "common/lib.py", "common/tests/test_lib.py", "app/main.py", "src/main.py", "src/tests/x.py",
		"main.py", "other.py", "pyproject.toml", "poetry.lock", "uv.lock", "docker-entrypoint.sh", "manage.py", "data/model.tar.gz", "data/app.jar", "tests/test_x.py", "web/package.json",
		"sessions/core/main.py", "sessions/storage/store.py", "__init__.py", "environment.yml", ".env", "secretsrc/id_rsa", "tests/.env",
	} {
		t[name] = &fstest.MapFile{Data: []byte("x\n")}
	}
	t["bin/start"] = &fstest.MapFile{Data: []byte("#!/usr/bin/env bash\nexec python main.py\n")}
	t["bin/tool"] = &fstest.MapFile{Data: []byte("#!/usr/bin/env python3\n")}
	t["lists/base.txt"], t["lists/prod.txt"] = &fstest.MapFile{}, &fstest.MapFile{}
	return t
}

// withLocks adds the file and the locks that it may name.
func withLocks(t fstest.MapFS, yaml []byte) fstest.MapFS {
	t[file.Name] = &fstest.MapFile{Data: yaml}
	empty := lock.Packages{Targets: lock.WheelTargets(), Base: lock.Base{Name: "base", Digest: "sha256:" + strings.Repeat("a", 64)}}
	for _, list := range []string{"requirements", "requirements-extra", "orders/requirements", "lists/prod"} {
		t[list+".lock.txt"] = &fstest.MapFile{Data: []byte("# nothing\n")}
		t[list+".lock.toml"] = &fstest.MapFile{Data: empty.FormatTOML()}
	}
	lists, _ := file.Reader{FS: t, Name: file.Name}.Lists() // none if there are none
	for _, l := range lists {
		if len(l.System) > 0 {
			t[l.Lock] = &fstest.MapFile{Data: systemLock(l.System).Format()}
		}
	}
	return t
}

// systemLock is a lock of packages that the base has.
func systemLock(packages []string) lock.System {
	set, err := lock.Default()
	if err != nil {
		panic(err)
	}
	s := lock.System{Packages: packages, Suites: set.Debian.Suites, Platforms: map[string]lock.SystemPlatform{}}
	for platform, p := range set.Debian.Platforms {
		s.Platforms[platform] = lock.SystemPlatform{Base: p.Rootfs.Digest}
	}
	return s
}

func report(r migrate.Result, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	b.Write(r.YAML)
	for _, f := range r.Findings {
		what := "done"
		if f.Left {
			what = "LEFT"
		}
		fmt.Fprintf(&b, "# %d: %s: %s; %s\n", f.Line, what, f.Found, f.Fix)
	}
	return b.String()
}

// Each Dockerfile becomes what its golden file says: a file that loads, and, where
// nothing is left for a person, services that can be built.
func TestGolden(t *testing.T) {
	dockerfiles, err := filepath.Glob("testdata/*.dockerfile")
	require.NoError(t, err)
	require.Greater(t, len(dockerfiles), 30)
	for _, name := range dockerfiles {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".dockerfile"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			in := migrate.File{Text: text, Name: "my_Service", Context: tree()}
			r, err := migrate.Dockerfile(in)
			got := report(r, err)
			golden := strings.TrimSuffix(name, ".dockerfile") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			require.Equal(t, string(want), got)
			for range 5 {
				require.Equal(t, got, report(migrate.Dockerfile(in)))
			}
			if err == nil {
				checkServices(t, r)
			}
		})
	}
}

func checkServices(t *testing.T, r migrate.Result) {
	services, err := file.Load(withLocks(tree(), r.YAML), file.Name)
	require.NoError(t, err, "%s", r.YAML)
	for _, f := range r.Findings {
		if f.Left {
			return
		}
	}
	for _, s := range services {
		_, err := s.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
		if err != nil && strings.Contains(string(r.YAML), "alpine-base") {
			require.ErrorContains(t, err, "not yet resolved") // the image tells what is in it
			continue
		}
		require.NoError(t, err, "%s", r.YAML)
	}
}

// What is no Dockerfile is an error with its line.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "1: file with no instructions",
		"# only\n":                            "1: file with no instructions",
		"RUN x\n":                             "1: no build stage in current context",
		"ARG A=1\n":                           "1: no FROM",
		"FROM x\n\nCODY a b\n":                "3: unknown instruction: CODY",
		"FROM x\nCOPY a\n":                    "2: COPY requires at least two arguments",
		"FROM x\nEXPOSE\n":                    "2: EXPOSE requires at least one argument",
		"FROM x\nCOPY <<EOF /a\nunterminated": "2: unterminated heredoc",
	} {
		_, err := migrate.Dockerfile(migrate.File{Text: []byte(text), Context: fstest.MapFS{}})
		require.ErrorContains(t, err, want, text)
		var at *migrate.Error
		require.ErrorAs(t, err, &at, text)
	}
}

// Paths are written from where the file will be.
func TestPrefix(t *testing.T) {
	r, err := migrate.Dockerfile(migrate.File{
		Text: []byte("FROM python:3.11\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\nCOPY src /app/src\nCMD [\"python\", \"-m\", \"src.main\"]\n"),
		Name: "a", Context: tree(), Prefix: "../services",
	})
	require.NoError(t, err)
	require.Contains(t, string(r.YAML), "from: ../services/src")
	require.Contains(t, string(r.YAML), "lock: ../services/requirements.lock.txt")
}

// A .dockerignore that no source has, or whose Git repository does not, is said.
func TestIgnored(t *testing.T) {
	context := tree()
	delete(context, ".git/HEAD")
	in := migrate.File{Text: []byte("FROM python:3.11\nCOPY src /app/src\nCMD [\"python\", \"-m\", \"src.main\"]\n"), Name: "a", Context: context}
	r, err := migrate.Dockerfile(in)
	require.NoError(t, err)
	require.Contains(t, report(r, nil), "# 1: LEFT: .dockerignore")
	in.Context = tree()
	r, err = migrate.Dockerfile(in)
	require.NoError(t, err)
	require.NotContains(t, report(r, nil), "LEFT")
}

// An image that holds more than its Python is left for a person, and so is another Python.
func TestBases(t *testing.T) {
	more, other, unsaid := "may hold packages", "LEFT: Python ", "whose version of Python is not said"
	for ref, want := range map[string]string{
		"python:3.11": "", "docker.io/library/python:3.11-slim-bookworm": "", "registry.example.com/proxy/python:3.11-alpine": "", "debian:12-slim": "", "debian:bookworm": "",
		"ghcr.io/astral-sh/uv:python3.11-bookworm": "", "gcr.io/distroless/python3-debian12": "", "registry.example.com/ubi9/python-311:1": "",
		"python:3.12": other + "3.12", "debian:11-slim": other + "3.9", "gcr.io/distroless/python3-debian11": other + "3.9", "ubuntu:22.04": other + "3.10", "ubuntu:noble": other + "3.12", "ubi9/python-39": other + "3.9",
		"python": unsaid, "python:3-slim": unsaid, "ubuntu:latest": unsaid, "alpine:3.20": unsaid, "registry.example.com/chainguard/python:latest": unsaid,
		"registry.example.com/lambda/python:3.11": more, "someone/uvicorn-gunicorn:python3.11": more, "example/cuda:12.1-ubuntu22.04": more, "registry.example.com/playwright/python:v1": more, "python:3.11-onbuild": more,
	} {
		text := "FROM " + ref + "\nCOPY src /app/src\nRUN pip install -r requirements.txt\nENTRYPOINT [\"python\", \"-m\", \"src.main\"]\n"
		got := report(migrate.Dockerfile(migrate.File{Text: []byte(text), Name: "a", Context: tree()}))
		require.Contains(t, got, want, ref)
		for _, not := range []string{more, other, unsaid} {
			if want == "" {
				require.NotContains(t, got, not, ref)
			}
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{"": "service", "Orders_API": "orders-api", "--": "service", "é": "service"} {
		require.Equal(t, want, migrate.Name(text))
	}
}

// Whatever a Dockerfile says, the file that it becomes loads.
func FuzzDockerfile(f *testing.F) {
	names, err := filepath.Glob("testdata/*.dockerfile")
	require.NoError(f, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 {
			t.Skip("longer than what people write")
		}
		r, err := migrate.Dockerfile(migrate.File{Text: []byte(text), Name: "a", Context: tree()})
		if err != nil {
			require.Regexp(t, `^[0-9]+: `, err.Error())
			return
		}
		all := withLocks(tree(), r.YAML)
		_, err = file.Load(all, file.Name)
		require.NoError(t, err, "%s", r.YAML)
	})
}
