package cli

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// A hint follows from what an error is, not from its words.
func TestHint(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name string
		err  error
		says string
	}{
		{"words alone", errors.New("pushing to x: reading the CA bundle: no space left on device: connection refused"), ""},
		{"CA bundle", &engine.CABundleError{Err: errors.New("no certificate")}, "check --ca-bundle"},
		{"CA bundle, of verify", unreadable(&engine.CABundleError{Err: errors.New("no certificate")}), "check --ca-bundle"},
		{"engine", &engine.ConnectError{Address: "tcp://x:1", Err: refused}, "check --engine"},
		{"disk", fmt.Errorf("writing: %w", syscall.ENOSPC), "free space"},
		{"disk, of a step", &engine.StepError{Reason: "no space left on device"}, "free space"},
		{"network", fmt.Errorf("downloading x: %w", refused), "check the network"},
		{"network, of a step", &engine.StepError{Step: "x", Reason: "Connection refused"}, "check the network"},
		{"mirror", fmt.Errorf("downloading x: %w: its content", debian.ErrAltered), "name a mirror"},
		{"no MergeOp", fmt.Errorf("%w: off", engine.ErrNoMerge), "containerd image store"},
		{"push, not logged in", &engine.PushError{Err: &transport.Error{StatusCode: http.StatusForbidden}}, "log in"},
		{"push, a page", &engine.PushError{Err: fmt.Errorf("PUT: %w", engine.ErrImpostor)}, "something else may answer"},
		{"push, network", &engine.PushError{Err: refused}, "check --registry"},
		{"push, disk", &engine.PushError{Err: syscall.ENOSPC}, "free space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.says == "" {
				require.Empty(t, hint(c.err))
			}
			require.Contains(t, hint(c.err), c.says)
		})
	}
}
