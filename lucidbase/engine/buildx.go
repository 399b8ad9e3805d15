package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/docker/cli/cli/connhelper/commandconn"
	"github.com/moby/buildkit/client"
)

// buildxScheme is that of a buildx builder's name.
const buildxScheme = "buildx"

// buildxBuilder is a line of "docker buildx ls --format json".
type buildxBuilder struct {
	Name  string
	Nodes []struct {
		Platforms []string // its own first
	}
}

// buildxEndpoints are the nodes of a builder that the user has: a connection to each is
// the standard input and output of "docker buildx dial-stdio", which finds a node by its
// platform. Of several nodes of one platform, it takes the first that works.
func buildxEndpoints(ctx context.Context, name string) ([]endpoint, error) {
	builder, err := findBuilder(ctx, name)
	if err != nil {
		return nil, &ConnectError{buildxScheme + "://" + name, err}
	}
	var found []endpoint
	seen := map[string]bool{}
	for _, node := range builder.Nodes {
		args := []string{"buildx", "dial-stdio", "--builder", name}
		label := buildxScheme + "://" + name
		if len(node.Platforms) > 0 { // none is known of one that has not started
			platform := strings.TrimSuffix(node.Platforms[0], "*") // one that the user has set
			args = append(args, "--platform", platform)
			if len(builder.Nodes) > 1 {
				label += " (" + platform + ")"
			}
		}
		if seen[label] {
			continue
		}
		seen[label] = true
		found = append(found, endpoint{
			name:    label,
			address: "passthrough:///buildx",
			options: []client.ClientOpt{client.WithContextDialer(func(context.Context, string) (net.Conn, error) {
				// The program lives as long as the connection, not as the dialling.
				return commandconn.New(context.WithoutCancel(ctx), "docker", args...)
			})},
		})
	}
	if len(found) == 0 {
		return nil, &ConnectError{buildxScheme + "://" + name, errors.New("it has no node")}
	}
	return found, nil
}

func findBuilder(ctx context.Context, name string) (buildxBuilder, error) {
	list, err := dockerCommand(ctx, "buildx", "ls", "--format", "json")
	if err != nil {
		// Without the plugin, the docker command takes what follows for its own flags.
		if _, err := dockerCommand(ctx, "buildx", "version"); err != nil {
			return buildxBuilder{}, fmt.Errorf("is the buildx plugin installed? %w", err)
		}
		return buildxBuilder{}, err
	}
	var names []string
	for dec := json.NewDecoder(bytes.NewReader(list)); dec.More(); {
		var b buildxBuilder
		if err := dec.Decode(&b); err != nil {
			return buildxBuilder{}, fmt.Errorf("reading what docker buildx ls says: %w", err)
		}
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return buildxBuilder{}, fmt.Errorf("there is no such builder; there are %s", strings.Join(names, ", "))
}

func dockerCommand(ctx context.Context, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, oneLine(stderr.String()))
	}
	return stdout.Bytes(), nil
}
