package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"

	"github.com/lucid-project/base-images/internal/docker"
)

// ErrTooOld says that a BuildKit is of a version that cannot build these graphs.
var ErrTooOld = errors.New("this BuildKit is too old")

// oldestDocker is the first major version whose containerd image store builds.
const oldestDocker = 23

// snapshotterLabel is what Docker's BuildKit says of the containerd image store alone.
const snapshotterLabel = "org.mobyproject.buildkit.worker.snapshotter"

// dockerEndpoint is Docker's own BuildKit, behind two paths of Docker's API that become
// gRPC connections.
func dockerEndpoint(ctx context.Context) (endpoint, error) {
	d, err := docker.Find(ctx)
	if err != nil {
		return endpoint{}, err
	}
	var last dialled
	grpc := func(ctx context.Context) (net.Conn, error) { return d.BuildKit(ctx, "/grpc", "h2c", nil) }
	return endpoint{
		name:    "Docker at " + d.Address + " (" + d.Source + ")",
		address: "passthrough:///docker",
		dialled: &last,
		options: []client.ClientOpt{
			client.WithContextDialer(last.by(grpc)),
			client.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
				return d.BuildKit(ctx, "/session", proto, meta)
			}),
		},
		check: func(ctx context.Context, workers []*client.WorkerInfo) error { return checkDocker(ctx, d, workers) },
	}, nil
}

// checkDocker reports what Docker lacks to build these images, in Docker's own terms.
func checkDocker(ctx context.Context, d *docker.Daemon, workers []*client.WorkerInfo) error {
	if workers[0].Labels[snapshotterLabel] != "" {
		return nil
	}
	version, err := dockerVersion(ctx, d)
	if err != nil {
		return fmt.Errorf("asking for its version: %w", err)
	}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestDocker {
		return fmt.Errorf("%w: Docker %s builds these images from version %d on, with the containerd image store", ErrTooOld, version, oldestDocker)
	}
	return fmt.Errorf("%w: Docker %s has it with the containerd image store alone", ErrNoMerge, version)
}

func dockerVersion(ctx context.Context, d *docker.Daemon) (string, error) {
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/version", nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct{ Version string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return "", fmt.Errorf("reading its answer: %w", err)
	}
	return answer.Version, nil
}
