package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"

	"github.com/lucid-project/base-images/internal/docker"
)

// dockerInfo is what is needed of Docker's answer to GET /info.
type dockerInfo struct {
	ServerVersion string
	Driver        string
	DriverStatus  [][2]string
}

// containerdStore reports whether images are in containerd's store.
func (i dockerInfo) containerdStore() bool {
	return slices.Contains(i.DriverStatus, [2]string{"driver-type", "io.containerd.snapshotter.v1"})
}

// docker is never bad: builds need none.
func (m *Machine) docker(ctx context.Context) Finding {
	daemon, err := docker.Find(ctx)
	if err != nil {
		return note(oneLine(err.Error()), "check DOCKER_HOST and Docker's contexts; only loading images into Docker needs it")
	}
	info, err := askDocker(ctx, daemon)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return note(oneLine(err.Error()), "to load images, join the group docker, and log in again")
	case errors.Is(err, fs.ErrNotExist):
		return ok("none at " + daemon.Address + ", and none is needed")
	case err != nil:
		return note(oneLine(err.Error()), "start it where images are to be loaded into it, or check "+daemon.Source)
	case !info.containerdStore():
		return note(fmt.Sprintf("%s with the classic image store, %s", info.ServerVersion, info.Driver),
			"to build in Docker, or load several platforms, switch on the containerd image store")
	}
	return ok(info.ServerVersion + " with the containerd image store")
}

func askDocker(ctx context.Context, daemon *docker.Daemon) (info dockerInfo, err error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return daemon.Dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/info", nil)
	if err != nil {
		return info, err
	}
	resp, err := client.Do(req)
	var failed *docker.Error
	switch {
	case errors.As(err, &failed):
		return info, failed
	case ctx.Err() != nil:
		return info, &docker.Error{Address: daemon.Address, Err: errors.New(noAnswer)}
	case err != nil:
		return info, &docker.Error{Address: daemon.Address, Err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return info, &docker.Error{Address: daemon.Address, Err: errors.New(resp.Status)}
	}
	return info, json.NewDecoder(resp.Body).Decode(&info)
}
