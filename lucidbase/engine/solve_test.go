package engine

import (
	"testing"

	"github.com/moby/buildkit/solver/pb"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/stretchr/testify/require"
)

// As Docker's classic image store answers: it knows the capability, and has it
// switched off with a reason.
func TestCheckCaps(t *testing.T) {
	require.NoError(t, checkCaps(pb.Caps.CapSet(pb.Caps.All()), &pb.Definition{}))
	var caps []*apicapspb.APICap
	for _, c := range pb.Caps.All() {
		if c.ID == string(pb.CapMergeOp) {
			c = &apicapspb.APICap{ID: c.ID, Enabled: false, DisabledReasonMsg: "only enabled with containerd image store backend"}
		}
		caps = append(caps, c)
	}
	err := checkCaps(pb.Caps.CapSet(caps), &pb.Definition{})
	require.ErrorIs(t, err, ErrNoMerge)
	require.ErrorContains(t, err, "containerd image store backend")
}
