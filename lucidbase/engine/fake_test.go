package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// fakeBuildKit is a node's client without a BuildKit: of a graph it solves llb.Mkfile,
// a layer each, and exports images as BuildKit does.
type fakeBuildKit struct {
	noMerge bool
	// before is called before a platform's graph is solved, if it is there.
	before func(ctx context.Context, platform string) error

	mu     sync.Mutex
	solved []string // the platforms, in the order of their solves' ends
}

// node returns a node that has the client.
func (f *fakeBuildKit) node(platform ocispecs.Platform) *node {
	return &node{platform: platform, open: func(context.Context) (*connection, error) {
		return &connection{client: f}, nil
	}}
}

func (f *fakeBuildKit) Build(ctx context.Context, opt client.SolveOpt, _ string, build gateway.BuildFunc, status chan *client.SolveStatus) (*client.SolveResponse, error) {
	defer close(status)
	platform := opt.FrontendAttrs["platform"]
	res, err := build(ctx, fakeGateway{fake: f, platform: platform})
	if err != nil {
		return nil, errors.New(err.Error()) // what comes over gRPC is text
	}
	manifest, err := export(ctx, opt.Exports[0].OutputStore, res, platform)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.solved = append(f.solved, platform)
	return &client.SolveResponse{ExporterResponse: map[string]string{exptypes.ExporterImageDigestKey: manifest.String()}}, nil
}

func (f *fakeBuildKit) ListWorkers(context.Context, ...client.ListWorkersOption) ([]*client.WorkerInfo, error) {
	return []*client.WorkerInfo{{}}, nil
}

func (*fakeBuildKit) DiskUsage(context.Context, ...client.DiskUsageOption) ([]*client.UsageInfo, error) {
	return nil, nil
}

func (*fakeBuildKit) Prune(context.Context, chan client.UsageInfo, ...client.PruneOption) error {
	return nil
}

func (*fakeBuildKit) Close() error { return nil }

// fakeGateway solves for one platform.
type fakeGateway struct {
	gateway.Client
	fake     *fakeBuildKit
	platform string
}

func (g fakeGateway) BuildOpts() gateway.BuildOpts {
	caps := pb.Caps.All()
	if g.fake.noMerge {
		caps = caps[:0]
	}
	return gateway.BuildOpts{LLBCaps: pb.Caps.CapSet(caps)}
}

func (g fakeGateway) Solve(ctx context.Context, req gateway.SolveRequest) (*gateway.Result, error) {
	if g.fake.before != nil {
		if err := g.fake.before(ctx, g.platform); err != nil {
			return nil, err
		}
	}
	ref := &fakeFiles{}
	for _, data := range req.Definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			return nil, err
		}
		for _, action := range op.GetFile().GetActions() {
			ref.files = append(ref.files, action.GetMkfile())
		}
	}
	res := gateway.NewResult()
	res.SetRef(ref)
	return res, nil
}

// fakeFiles is a solved graph.
type fakeFiles struct {
	gateway.Reference
	files []*pb.FileActionMkFile
}

// export writes an image's layers, config and manifest.
func export(ctx context.Context, store content.Store, res *gateway.Result, platform string) (digest.Digest, error) {
	blob := func(mediaType string, data []byte) (ocispecs.Descriptor, error) {
		desc := ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
		return desc, content.WriteBlob(ctx, store, desc.Digest.String(), bytes.NewReader(data), desc)
	}
	config := map[string]any{}
	if err := json.Unmarshal(res.Metadata[exptypes.ExporterImageConfigKey+"/"+platform], &config); err != nil {
		return "", err
	}
	m := ocispecs.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest}
	var diffIDs []digest.Digest
	for _, file := range res.Refs[platform].(*fakeFiles).files {
		var layer bytes.Buffer
		w := tar.NewWriter(&layer)
		header := &tar.Header{Name: strings.TrimPrefix(file.Path, "/"), Mode: 0o644, Size: int64(len(file.Data)), ModTime: lucidbase.Epoch()}
		if err := w.WriteHeader(header); err != nil {
			return "", err
		}
		if _, err := w.Write(file.Data); err != nil {
			return "", err
		}
		if err := w.Close(); err != nil {
			return "", err
		}
		desc, err := blob(ocispecs.MediaTypeImageLayer, layer.Bytes())
		if err != nil {
			return "", err
		}
		m.Layers = append(m.Layers, desc)
		diffIDs = append(diffIDs, desc.Digest)
	}
	config["rootfs"] = ocispecs.RootFS{Type: "layers", DiffIDs: diffIDs}
	data, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	if m.Config, err = blob(ocispecs.MediaTypeImageConfig, data); err != nil {
		return "", err
	}
	if data, err = json.Marshal(m); err != nil {
		return "", err
	}
	desc, err := blob(m.MediaType, data)
	return desc.Digest, err
}

// files is an image of a layer for each file; it fulfils its contract.
func files(names ...string) lucidbase.Spec {
	return lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		g := lucidbase.Graph{State: llb.Scratch()}
		created := lucidbase.Epoch()
		for _, name := range names {
			g.State = g.State.File(llb.Mkfile("/"+name, 0o644, []byte(name)))
			g.Config.History = append(g.Config.History, ocispecs.History{Created: &created, CreatedBy: "test"})
		}
		g.Config.Platform, g.Config.Created = p.Target, &created
		g.Config.Config.User, g.Config.Config.WorkingDir = "65532:65532", "/"
		g.Contract.Waivers = []verify.Waiver{
			{Rule: "base", Path: "config:Labels", Reason: "nobody runs it"},
			{Rule: "command", Path: "config:Cmd", Reason: "nobody runs it"},
		}
		return g, nil
	})
}

// newEngine is an engine with these nodes and a cache of its own.
func newEngine(t *testing.T, nodes ...*node) *Engine {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	e := &Engine{options: newOptions([]Option{WithCacheDir(t.TempDir())}), nodes: nodes}
	require.NoError(t, e.openStore())
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}
