package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/diff/apply"
	ctdmetadata "github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/diff/walking"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/cache/metadata"
	"github.com/moby/buildkit/cache/remotecache"
	localcache "github.com/moby/buildkit/cache/remotecache/local"
	"github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/executor/resources"
	"github.com/moby/buildkit/executor/runcexecutor"
	"github.com/moby/buildkit/session"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/leaseutil"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	wlabel "github.com/moby/buildkit/worker/label"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
)

// This file is the one that knows how BuildKit's parts are put together. None of
// it is a stable API: at an update, compare with cmd/buildkitd/main.go and
// worker/runc/runc.go in BuildKit's source.

// namespace is containerd's name for the part of its databases that is ours.
const namespace = "buildkit"

// stopTime is how long a stopping server waits for its clients' calls to end.
const stopTime = 5 * time.Second

// boltOptions let no transaction wait for the disk: each layer takes several. State that
// a machine was using when it went down is made again, and so is what its sums show not
// to have reached the disk.
var boltOptions = &bolt.Options{FreelistType: bolt.FreelistMapType, NoFreelistSync: true, NoSync: true}

// server is a running BuildKit.
type server struct {
	root     string
	grpc     *grpc.Server
	executor *lazyExecutor
	cleanup  []func() error // in the order of opening; closing goes backwards
}

// serve starts BuildKit at a gate. In rootless mode the process is root of a user
// namespace only.
func serve(ctx context.Context, root string, g *gate, rootless bool) (_ *server, err error) {
	s := &server{root: root}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeAll())
		}
	}()
	if err := enterState(root); err != nil {
		return nil, err
	}
	sweepCgroups(root)
	s.closes(func() error { sweepCgroups(root); return nil })
	w, err := s.openWorker(ctx, rootless)
	if err != nil {
		return nil, fmt.Errorf("opening the worker: %w", err)
	}
	controller, err := s.openController(w)
	if err != nil {
		return nil, fmt.Errorf("opening the controller: %w", err)
	}
	s.closes(controller.Close)
	s.grpc = grpc.NewServer(
		grpc.ChainUnaryInterceptor(g.countBuild, grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
		grpc.WaitForHandlers(true),
	)
	controller.Register(s.grpc)
	go func() { _ = s.grpc.Serve(g) }() // ends with Stop
	return s, nil
}

// closes keeps something to close with the server.
func (s *server) closes(f func() error) { s.cleanup = append(s.cleanup, f) }

// nativeWorker is a worker for this machine's own platform. BuildKit's would try
// programs of every other architecture to see which are emulated.
type nativeWorker struct{ *base.Worker }

// Platforms are the one that needs no emulation.
func (w nativeWorker) Platforms(bool) []ocispecs.Platform { return w.WorkerOpt.Platforms }

func (s *server) openWorker(ctx context.Context, rootless bool) (*nativeWorker, error) {
	name, newSnapshotter := chooseSnapshotter(s.root)
	// A snapshotter's state is no other's.
	root := filepath.Join(s.root, name)
	snapshotter, err := newSnapshotter(filepath.Join(root, "snapshots"))
	if err != nil {
		return nil, err
	}
	s.closes(snapshotter.Close)
	store, err := local.NewStore(filepath.Join(root, "content"))
	if err != nil {
		return nil, err
	}
	db, err := boltutil.Open(filepath.Join(root, "containerdmeta.db"), 0o600, boltOptions)
	if err != nil {
		return nil, err
	}
	s.closes(db.Close)
	mdb := ctdmetadata.NewDB(db, store, map[string]snapshots.Snapshotter{name: snapshotter})
	if err := mdb.Init(ctx); err != nil {
		return nil, err
	}
	records, err := metadata.NewStore(filepath.Join(root, "metadata_v2.db"))
	if err != nil {
		return nil, err
	}
	s.closes(records.Close)
	id, err := base.ID(root)
	if err != nil {
		return nil, err
	}
	networks := networks()
	s.executor = newLazyExecutor(rootless, func(runc string) (executor.Executor, error) {
		return newRunc(runc, s.root, rootless, networks)
	})
	contentStore := containerdsnapshot.NewContentStore(wholeWrites{mdb.ContentStore()}, namespace)
	w, err := base.NewWorker(ctx, base.WorkerOpt{
		ID:               id,
		Root:             root,
		Labels:           map[string]string{wlabel.Executor: "oci", wlabel.Snapshotter: name},
		Platforms:        []ocispecs.Platform{platforms.Normalize(platforms.DefaultSpec())},
		NetworkProviders: networks,
		Executor:         s.executor,
		Snapshotter:      containerdsnapshot.NewSnapshotter(name, mdb.Snapshotter(name), namespace, nil),
		ContentStore:     contentStore,
		Applier:          apply.NewFileSystemApplier(contentStore),
		Differ:           walking.NewWalkingDiff(contentStore),
		RegistryHosts:    registryHosts(trust{}),
		LeaseManager:     leaseutil.WithNamespace(ctdmetadata.NewLeaseManager(mdb), namespace),
		GarbageCollect:   mdb.GarbageCollect,
		MetadataStore:    records,
		MountPoolRoot:    filepath.Join(memoryDir(s.root), "cachemounts"),
		// Forty compilers at once are slower than four, and take ten times the memory.
		ParallelismSem: semaphore.NewWeighted(2 * int64(runtime.GOMAXPROCS(0))),
	})
	return &nativeWorker{w}, err
}

// chooseSnapshotter prefers overlayfs. A state directory that was made with it
// is proof that it works: to try it again costs a mount.
func chooseSnapshotter(root string) (string, func(string) (snapshots.Snapshotter, error)) {
	_, err := os.Stat(filepath.Join(root, "overlayfs", "workerid"))
	if err != nil && overlayutils.Supported(root) != nil {
		return "native", native.NewSnapshotter
	}
	return "overlayfs", func(dir string) (snapshots.Snapshotter, error) {
		return overlay.NewSnapshotter(dir, overlay.AsynchronousRemove)
	}
}

// networks are what a step may ask for: the machine's network by default, or
// none. Host mode is not on offer: other BuildKits refuse it.
func networks() map[pb.NetMode]network.Provider {
	return map[pb.NetMode]network.Provider{
		pb.NetMode_UNSET: network.NewHostProvider(),
		pb.NetMode_NONE:  network.NewNoneProvider(),
	}
}

func newRunc(runc, root string, rootless bool, networks map[pb.NetMode]network.Provider) (executor.Executor, error) {
	monitor, err := resources.NewMonitor()
	if err != nil {
		return nil, err
	}
	// With a monitor that records, containers are deleted some time after their
	// step has ended; with a closed one, before.
	if err := monitor.Close(); err != nil {
		return nil, err
	}
	return runcexecutor.New(runcexecutor.Opt{
		Root:                filepath.Join(memoryDir(root), "executor"), // secrets of the environment are in it
		CommandCandidates:   []string{runc},
		DefaultCgroupParent: cgroupParent(root),
		Rootless:            rootless,
		ProcessMode:         oci.ProcessSandbox,
		ResourceMonitor:     monitor,
	}, networks)
}

func (s *server) openController(w *nativeWorker) (*control.Controller, error) {
	workers := &worker.Controller{}
	if err := workers.Add(w); err != nil {
		return nil, err
	}
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	cache, err := bboltcachestorage.NewStore(filepath.Join(s.root, "cache.db"))
	if err != nil {
		return nil, err
	}
	s.closes(cache.Close)
	history, err := boltutil.SafeOpen(filepath.Join(s.root, "history.db"), 0o600, boltOptions)
	if err != nil {
		return nil, err
	}
	s.closes(history.Close)
	ctx, cancel := context.WithCancel(context.Background())
	s.closes(func() error { cancel(); return nil })
	none := int64(0)
	registries := newRegistries(sessions)
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: workers,
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"registry": registries.exporter(),
			"local":    localcache.ResolveCacheExporterFunc(sessions),
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": registries.importer(w.ContentStore()),
			"local":    localcache.ResolveCacheImporterFunc(sessions),
		},
		CacheManager:   solver.NewCacheManager(ctx, "local", cache, worker.NewCacheResultStorage(workers)),
		HistoryDB:      history,
		HistoryConfig:  &config.HistoryConfig{MaxEntries: &none}, // a record costs as much as a small step
		CacheStore:     cache,
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		GarbageCollect: w.GarbageCollect,
		GracefulStop:   ctx.Done(),
	})
}

// close ends everything: steps are killed, calls end, databases close.
func (s *server) close() error {
	s.executor.close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.Stop()
		s.executor.wait()
	}()
	var errs []error
	select {
	case <-stopped:
	case <-time.After(stopTime):
		errs = append(errs, fmt.Errorf("stopping BuildKit: still busy after %s", stopTime))
	}
	errs = append(errs, s.closeAll())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return leaveState(s.root)
}

func (s *server) closeAll() error {
	var errs []error
	for _, f := range slices.Backward(s.cleanup) {
		errs = append(errs, f())
	}
	s.cleanup = nil
	return errors.Join(errs...)
}
