package embedded

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// A build here is what package engine does, in its simplest form. It takes no
// testing.T: child processes of the tests build, too.

// result is what a build made and said.
type result struct {
	Layers  []digest.Digest
	Entries []string // "MODE UID:GID NAME CONTENT" of each file, layer by layer
	Cached  []string // the names of the steps that were
}

// find returns the entry of a file.
func (r result) find(name string) string {
	i := slices.IndexFunc(r.Entries, func(e string) bool { return strings.Fields(e)[2] == name })
	if i < 0 {
		return "no " + name
	}
	return r.Entries[i]
}

// step is the image after a process of it ran.
func step(f fixture, opts []llb.RunOption, args ...string) llb.State {
	opts = append(opts, llb.Args(append([]string{"/bin/step"}, args...)), llb.WithCustomName(strings.Join(args, " ")))
	return f.image().Run(opts...).Root()
}

// connect returns a client of a backend.
func connect(ctx context.Context, b engine.Backend) (*client.Client, error) {
	return client.New(ctx, "passthrough:///embedded", client.WithContextDialer(
		func(ctx context.Context, _ string) (net.Conn, error) { return b.Dial(ctx) }))
}

// build solves a state and exports it into the fixture's store. Each line that a
// step writes goes to log, unless that is nil.
func build(ctx context.Context, b engine.Backend, f fixture, st llb.State, log func(string)) (*result, error) {
	store, err := local.NewStore(f.Dir)
	if err != nil {
		return nil, err
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, b)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	res := &result{}
	status, watched := make(chan *client.SolveStatus), make(chan struct{})
	go func() {
		defer close(watched)
		res.watch(status, log)
	}()
	opt := client.SolveOpt{
		OCIStores: map[string]content.Store{storeID: store},
		Session:   []session.Attachable{secretsprovider.FromMap(f.Secrets)},
		Exports: []client.ExportEntry{{
			Type:        client.ExporterOCI,
			Attrs:       map[string]string{"tar": "false", "compression": "uncompressed", "force-compression": "true"},
			OutputStore: store,
		}},
	}
	resp, err := c.Build(ctx, opt, "test", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		return gw.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
	}, status)
	<-watched
	if err != nil {
		return nil, err
	}
	return res, res.read(ctx, store, digest.Digest(resp.ExporterResponse[exptypes.ExporterImageDigestKey]))
}

func (r *result) watch(status <-chan *client.SolveStatus, log func(string)) {
	for s := range status {
		for _, v := range s.Vertexes {
			if v.Cached && !slices.Contains(r.Cached, v.Name) {
				r.Cached = append(r.Cached, v.Name)
			}
		}
		for _, l := range s.Logs {
			if log != nil {
				log(strings.TrimSpace(string(l.Data)))
			}
		}
	}
}

func (r *result) read(ctx context.Context, store content.Store, manifest digest.Digest) error {
	var m ocispecs.Manifest
	blob, err := content.ReadBlob(ctx, store, ocispecs.Descriptor{Digest: manifest})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(blob, &m); err != nil {
		return err
	}
	for _, desc := range m.Layers {
		r.Layers = append(r.Layers, desc.Digest)
		ra, err := store.ReaderAt(ctx, desc)
		if err != nil {
			return err
		}
		err = r.readLayer(content.NewReader(ra))
		if err := errors.Join(err, ra.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (r *result) readLayer(layer io.Reader) error {
	for tr := tar.NewReader(layer); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text := fmt.Sprint(h.Size, " bytes")
		if h.Size < 200 {
			b, err := io.ReadAll(tr)
			if err != nil {
				return err
			}
			text = string(b)
		}
		r.Entries = append(r.Entries, fmt.Sprintf("%o %d:%d /%s %s", h.Mode, h.Uid, h.Gid, strings.Trim(h.Name, "/"), text))
	}
}

const markVariable = "LUCID_TEST_MARK"

// modes is a graph of everything whose result a umask could change. In the end
// all is copied into one layer: what is written into a directory changes its
// time, and a copy has the time that its action names.
func modes(f fixture) llb.State { return modesWith(f, "") }

// modesWith is a graph with the result of modes, but with a variable in its steps'
// environments: another value makes them run again.
func modesWith(f fixture, mark string) llb.State {
	var opts []llb.RunOption
	if mark != "" {
		opts = append(opts, llb.AddEnv(markVariable, mark))
	}
	written := step(f, opts, "write", "/out/file", "text")
	tree := llb.Scratch().
		File(llb.Mkdir("/all", 0o777)).
		File(llb.Mkdir("/all/deep/er", 0o777, llb.WithParents(true))).
		File(llb.Mkfile("/all/file", 0o666, []byte("text"))).
		File(llb.Copy(written, "/out/file", "/all/new/written", &llb.CopyInfo{CreateDestPath: true})).
		File(llb.Copy(written, "/out/file.d", "/all/"))
	return llb.Scratch().File(llb.Copy(tree, "/all", "/", llb.WithCreatedTime(time.Unix(1<<30, 0).UTC())))
}
