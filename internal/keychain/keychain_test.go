package keychain

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"
)

// home is a user's home with these files, and nothing of the machine's own.
func home(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for _, variable := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_AUTH_CONFIG", "GITHUB_TOKEN"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", dir)
	for file, content := range files {
		path := filepath.Join(dir, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

// auths is a configuration with a user for each key, who is called that way.
func auths(users ...string) string {
	var list []string
	for _, user := range users {
		key, user, _ := strings.Cut(user, "=")
		list = append(list, fmt.Sprintf("%q:{%q:%q}", key, "auth", base64.StdEncoding.EncodeToString([]byte(user+":secret"))))
	}
	return `{"auths":{` + strings.Join(list, ",") + `}}`
}

// user returns who pushes to a repository, or why nobody.
func user(t *testing.T, repo string) (string, error) {
	t.Helper()
	r, err := name.NewRepository(repo)
	require.NoError(t, err)
	auth, err := authn.Resolve(t.Context(), Default, r)
	if err != nil {
		return "", err
	}
	config, err := authn.Authorization(t.Context(), auth)
	require.NoError(t, err)
	return config.Username, nil
}

func TestFiles(t *testing.T) {
	const docker, podman, runtime, given = ".docker/config.json", ".config/containers/auth.json", "run/containers/auth.json", "auth.json"
	for _, tt := range []struct {
		name  string
		files map[string]string
		repo  string
		want  string
	}{
		{"nothing", nil, "r.example/a", ""},
		{"Docker's", map[string]string{docker: auths("r.example=docker")}, "r.example/a", "docker"},
		{"a port", map[string]string{docker: auths("r.example:5000=docker")}, "r.example:5000/a", "docker"},
		{"another port", map[string]string{docker: auths("r.example=docker")}, "r.example:5000/a", ""},
		{"with a scheme", map[string]string{docker: auths("https://r.example/v1/=docker")}, "r.example/a", "docker"},
		{"Docker Hub", map[string]string{docker: auths("https://index.docker.io/v1/=docker")}, "lucid/a", "docker"},
		{"Docker Hub as Podman has it", map[string]string{podman: auths("docker.io=podman")}, "lucid/a", "podman"},
		{"Podman's", map[string]string{podman: auths("r.example=podman")}, "r.example/a", "podman"},
		{"Podman's beside Docker's", map[string]string{docker: auths("other.example=docker"), podman: auths("r.example=podman")}, "r.example/a", "podman"},
		{"Docker's first", map[string]string{docker: auths("r.example=docker"), podman: auths("r.example=podman")}, "r.example/a", "docker"},
		{"of the session", map[string]string{runtime: auths("r.example=runtime"), podman: auths("r.example=podman")}, "r.example/a", "runtime"},
		{"the file that is named", map[string]string{given: auths("r.example=given"), docker: auths("r.example=docker")}, "r.example/a", "given"},
		{"the file that is named has none", map[string]string{given: auths("other.example=given"), docker: auths("r.example=docker")}, "r.example/a", "docker"},
		{"a namespace", map[string]string{podman: auths("r.example=all", "r.example/team=team", "r.example/team/a=a")}, "r.example/team/b", "team"},
		{"a repository", map[string]string{podman: auths("r.example=all", "r.example/team=team", "r.example/team/a=a")}, "r.example/team/a", "a"},
		{"another namespace", map[string]string{podman: auths("r.example/team=team")}, "r.example/other/a", ""},
		{"a namespace of Docker Hub", map[string]string{podman: auths("docker.io/lucid=team")}, "lucid/a", "team"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := home(t, tt.files)
			t.Setenv("XDG_RUNTIME_DIR", filepath.Join(dir, "run"))
			if tt.files[given] != "" {
				t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dir, given))
			}
			got, err := user(t, tt.repo)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := home(t, map[string]string{".docker/config.json": `{"auths":`})
	_, err := user(t, "r.example/a")
	require.ErrorContains(t, err, "reading "+filepath.Join(dir, ".docker/config.json")+": ")
	require.ErrorAs(t, err, new(*FileError))
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dir, "gone.json"))
	t.Setenv("DOCKER_CONFIG", filepath.Join(dir, "gone"))
	got, err := user(t, "r.example/a")
	require.NoError(t, err, "what is not there has none")
	require.Empty(t, got)
}

func TestVariables(t *testing.T) {
	home(t, nil)
	t.Setenv("DOCKER_AUTH_CONFIG", auths("r.example=variable"))
	got, err := user(t, "r.example/a")
	require.NoError(t, err)
	require.Equal(t, "variable", got)
	t.Setenv("GITHUB_TOKEN", "token")
	got, err = user(t, "ghcr.io/lucid/a")
	require.NoError(t, err)
	require.NotEmpty(t, got)
	got, err = user(t, "other.example/a")
	require.NoError(t, err)
	require.Empty(t, got)
}

// helper installs a credential helper, a program that notes that it was asked.
func helper(t *testing.T, dir, name, script string) (asked func() int) {
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o700))
	notes := filepath.Join(dir, "asked-"+name)
	program := "#!/bin/sh\nread -r host\necho \"$host\" >> '" + notes + "'\n" + script
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker-credential-"+name), []byte(program), 0o700)) //nolint:gosec // it is run
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() int {
		data, err := os.ReadFile(notes)
		if err != nil {
			return 0
		}
		return strings.Count(string(data), "\n")
	}
}

func TestHelpers(t *testing.T) {
	dir := home(t, map[string]string{".docker/config.json": `{"credsStore":"store","credHelpers":{"cloud.example":"cloud","gone.example":"not-installed"}}`})
	store := helper(t, dir, "store", `if [ "$host" = r.example ]; then echo '{"Username":"stored","Secret":"s"}'; else echo "credentials not found in native keychain"; exit 1; fi`)
	cloud := helper(t, dir, "cloud", `echo '{"Username":"cloudy","Secret":"s"}'`)
	for repo, want := range map[string]string{"r.example/a": "stored", "cloud.example/a": "cloudy", "unknown.example/a": ""} {
		got, err := user(t, repo)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for i := range 9 {
		_, err := user(t, fmt.Sprintf("cloud.example/service-%d", i))
		require.NoError(t, err)
	}
	require.Equal(t, 2, store(), "once for each registry")
	require.Equal(t, 1, cloud(), "once for many repositories")

	_, err := user(t, "gone.example/a")
	require.ErrorContains(t, err, "config.json: asking the credential helper docker-credential-not-installed: executable file not found in $PATH")
	require.ErrorIs(t, err, exec.ErrNotFound)
}

// What is read alone does without a helper that is not installed, and says so; another
// configuration may still have credentials. A helper that is there and fails is an error.
func TestPullWithoutHelper(t *testing.T) {
	dir := home(t, map[string]string{
		".docker/config.json":          `{"credsStore":"not-installed","credHelpers":{"fails.example":"fails"}}`,
		".config/containers/auth.json": `{"auths":{"r.example":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("me:s")) + `"}}}`,
	})
	helper(t, dir, "fails", `echo "no session"; exit 1`)
	for repo, want := range map[string]string{"r.example/a": "me", "public.example/a": ""} {
		target, err := name.NewRepository(repo)
		require.NoError(t, err)
		var warned []error
		auth, err := Pull(func(err error) { warned = append(warned, err) }).Resolve(target)
		require.NoError(t, err)
		found, err := auth.Authorization()
		require.NoError(t, err)
		require.Equal(t, want, found.Username)
		require.Len(t, warned, 1)
		require.ErrorContains(t, warned[0], "docker-credential-not-installed: executable file not found in $PATH")
		_, err = Pull(nil).Resolve(target)
		require.NoError(t, err)
		_, err = Default.Resolve(target)
		require.ErrorIs(t, err, exec.ErrNotFound, "a push needs credentials")
	}
	target, err := name.NewRepository("fails.example/a")
	require.NoError(t, err)
	_, err = Pull(nil).Resolve(target)
	require.ErrorContains(t, err, "docker-credential-fails")
}

func TestHelpersThatFail(t *testing.T) {
	dir := home(t, map[string]string{".docker/config.json": `{"credHelpers":{"a.example":"fails","b.example":"leaks","c.example":"waits"}}`})
	helper(t, dir, "fails", `echo "no session: log in first"; exit 1`)
	helper(t, dir, "leaks", `echo '{"Username":"u","Secret":"hunter2"}'; exit 1`)
	helper(t, dir, "waits", `sleep 3`)
	_, err := user(t, "a.example/a")
	require.ErrorContains(t, err, "asking the credential helper docker-credential-fails: ")
	require.ErrorContains(t, err, "no session: log in first")
	_, err = user(t, "b.example/a")
	require.ErrorContains(t, err, "docker-credential-leaks: its answer for b.example cannot be read")
	require.NotContains(t, err.Error(), "hunter2")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	repo, err := name.NewRepository("c.example/a")
	require.NoError(t, err)
	_, err = authn.Resolve(ctx, Default, repo)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
