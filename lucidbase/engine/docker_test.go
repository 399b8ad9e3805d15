package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/docker"
)

// What a Docker lacks is said in its own terms.
func TestCheckDocker(t *testing.T) {
	check := func(version string, label bool) error {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"Version":%q}`, version)
		}))
		defer s.Close()
		worker := &client.WorkerInfo{Labels: map[string]string{}}
		if label {
			worker.Labels[snapshotterLabel] = "overlayfs"
		}
		d := &docker.Daemon{Address: strings.Replace(s.URL, "http:", "tcp:", 1)}
		return checkDocker(t.Context(), d, []*client.WorkerInfo{worker})
	}
	require.NoError(t, check("28.5.2", true))
	err := check("28.5.2", false)
	require.ErrorIs(t, err, ErrNoMerge)
	require.ErrorContains(t, err, "Docker 28.5.2 has it with the containerd image store alone")
	err = check("20.10.24+dfsg1", false)
	require.ErrorIs(t, err, ErrTooOld)
	require.ErrorContains(t, err, "Docker 20.10.24+dfsg1 builds these images from version 23 on")
	require.ErrorIs(t, check("master-2027", false), ErrNoMerge)
}

// An API of Docker's that has no BuildKit behind it, such as Podman's.
func TestDockerWithoutBuildKit(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Not Found\n")
	}))
	defer s.Close()
	t.Setenv("DOCKER_HOST", strings.Replace(s.URL, "http:", "tcp:", 1))
	t.Setenv("DOCKER_TLS_VERIFY", "")
	_, err := Open(t.Context(), "docker", WithCacheDir(t.TempDir()))
	require.EqualError(t, err, "connecting to Docker at "+strings.Replace(s.URL, "http:", "tcp:", 1)+" (DOCKER_HOST): it has no BuildKit: /grpc: 404 Not Found: Not Found")
	require.ErrorAs(t, err, new(*ConnectError))
}

// A node that is missing is left out if another answers, and named.
func TestNoNodeAnswers(t *testing.T) {
	_, err := Open(t.Context(), "unix:///nonexistent/a.sock,unix:///nonexistent/b.sock", WithCacheDir(t.TempDir()))
	for _, name := range []string{"a", "b"} {
		require.ErrorContains(t, err, "connecting to BuildKit at unix:///nonexistent/"+name+".sock: connect: no such file or directory")
	}
}
