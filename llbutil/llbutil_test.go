package llbutil_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/llbtext"
	"github.com/lucid-project/base-images/internal/offer"
	"github.com/lucid-project/base-images/llbutil"
)

var amd64 = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// Whoever builds, with or without a proxy or an index of their own: the graph is
// the same.
func TestNetworkSecretsAreAlwaysDeclared(t *testing.T) {
	marshal := func() [][]byte {
		state := llb.Scratch().Run(llb.Args([]string{"/x"}), llbutil.NetworkSecrets()).Root()
		def, err := state.Marshal(context.Background(), llb.Platform(amd64))
		require.NoError(t, err)
		return def.Def
	}
	before := marshal()
	for _, name := range offer.Variables() {
		t.Setenv(name, "secret")
	}
	require.Equal(t, before, marshal())

	var op pb.Op
	require.NoError(t, op.UnmarshalVT(before[0]))
	var names []string
	for _, s := range op.GetExec().Secretenv {
		require.True(t, s.Optional, s.Name)
		require.Equal(t, s.Name, s.ID, "the id is fixed")
		names = append(names, s.Name)
	}
	require.ElementsMatch(t, offer.Variables(), names)
	files := map[string]string{}
	for _, m := range op.GetExec().Mounts {
		if m.SecretOpt != nil {
			require.True(t, m.SecretOpt.Optional)
			files[m.Dest] = m.SecretOpt.ID
		}
	}
	require.Equal(t, map[string]string{
		offer.CAPath:    offer.CASecret,
		offer.NetrcPath: offer.NetrcSecret,
		offer.IndexPath: offer.IndexSecret,
	}, files)
	for _, raw := range before {
		require.NotContains(t, string(raw), "=secret")
	}
}

// show returns a state's operations as text.
func show(state llb.State) string {
	def, err := state.Marshal(context.Background(), llb.Platform(amd64))
	if err != nil {
		return err.Error()
	}
	ops, err := llbtext.Ops(def)
	if err != nil {
		return err.Error()
	}
	return llbtext.Text(ops)
}

// A stored image is named by its manifest's digest and read from the client.
func ExampleStoredImage() {
	fmt.Print(show(llbutil.StoredImage("rootfs", digest.FromString("a manifest"), amd64)))
	// Output:
	//  1 source linux/amd64 "rootfs amd64"
	//      oci-layout://lucid.invalid/rootfs@sha256:e59625a822497c164d60705eb3fd6975c375ca213b8140137a826a77790986a9
	//      oci.store=lucid
}

func ExampleFile() {
	fmt.Print(show(llbutil.File("lock.txt", 0o644, []byte("locked\n"), amd64)))
	// Output:
	//  1 file  "lock.txt"
	//      mkfile /lock.txt 0644 7 bytes
	//      | locked
}
