package dockerbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// Process is a started container.
type Process struct {
	box  *Box
	name string
	id   string
	done chan struct{}
	code int
	err  error

	mu       sync.Mutex
	runner   string // see python
	noRunner error
}

// Start starts an image; what it writes to its standard output and error goes to log,
// which is complete when logged is closed. Stdout and Stderr of c are not used.
func (b *Box) Start(ctx context.Context, c sandbox.Container, log io.Writer) (p *Process, logged <-chan struct{}, err error) {
	p, logged, err = b.start(ctx, c, log)
	if err != nil {
		return nil, nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	return p, logged, nil
}

func (b *Box) start(ctx context.Context, c sandbox.Container, log io.Writer) (*Process, <-chan struct{}, error) {
	request, err := b.request(c)
	if err != nil {
		return nil, nil, err
	}
	if request["Image"], err = b.load(ctx, c.Image); err != nil {
		return nil, nil, err
	}
	id, err := b.create(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	p := &Process{box: b, name: c.Name, id: id, done: make(chan struct{})}
	// Before it starts, so that nothing is missed.
	output, err := b.api.attach(ctx, "/containers/"+id+"/attach?stream=1&stdout=1&stderr=1", nil)
	if err != nil {
		return nil, nil, err
	}
	waited, err := b.api.open(context.Background(), http.MethodPost, "/containers/"+id+"/wait?condition=next-exit")
	if err != nil {
		output.Close()
		return nil, nil, err
	}
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		defer output.Close()
		_ = demux(output, map[byte]io.Writer{stdout: log, stderr: log}) // ends with the container
	}()
	go p.wait(waited)
	if err := b.api.call(ctx, http.MethodPost, "/containers/"+id+"/start", nil, nil); err != nil {
		return nil, nil, err
	}
	return p, logged, nil
}

// request is what Docker is asked for, but for the image's name.
func (b *Box) request(c sandbox.Container) (map[string]any, error) {
	var mounts []map[string]any
	for _, m := range c.Mounts {
		source, err := filepath.Abs(m.Source)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(source); err != nil {
			return nil, fmt.Errorf("a mount: %w", err)
		}
		mounts = append(mounts, map[string]any{"Type": "bind", "Source": source, "Target": m.Target, "ReadOnly": true})
	}
	host := b.hostConfig(b.network)
	host["Mounts"] = mounts
	request := map[string]any{"Hostname": c.Name, "Env": c.Env, "HostConfig": host}
	if c.Args != nil {
		request["Cmd"] = c.Args
	}
	if b.network != hostNetwork {
		request["NetworkingConfig"] = map[string]any{"EndpointsConfig": map[string]any{b.network: map[string]any{"Aliases": []string{c.Name}}}}
	}
	return request, nil
}

// hostConfig is how every container runs.
func (b *Box) hostConfig(network string) map[string]any {
	host := map[string]any{
		"ReadonlyRootfs": true,
		"CapDrop":        []string{"ALL"},
		"SecurityOpt":    []string{"no-new-privileges"},
		"Tmpfs":          map[string]string{"/tmp": ""},
		"NetworkMode":    network,
	}
	switch network {
	case hostNetwork:
		var hosts []string
		for _, name := range b.config.Names {
			hosts = append(hosts, name+":127.0.0.1")
		}
		host["ExtraHosts"] = hosts
	case b.network:
		// Docker's own server for names asks others from outside of an internal network,
		// unless they are to be found in it: CVE-2024-29018.
		host["Dns"] = []string{"127.0.0.1"}
	}
	return host
}

// create makes a container.
func (b *Box) create(ctx context.Context, request map[string]any) (id string, err error) {
	request["Labels"] = b.labels()
	request["Healthcheck"] = map[string]any{"Test": []string{"NONE"}} // who waits for it runs it
	var made struct{ ID string }
	err = b.api.call(ctx, http.MethodPost, "/containers/create", request, &made)
	return made.ID, err
}
