package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/internal/v1image"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// System locks Debian packages that a service has besides those of a base: the newest
// ones of the base's suites, and what they need, where the base's own packages stay as
// its lock has them. What only packages' scripts need is left out. What replaces a file
// of the base, a setuid file, a shell or another thing that no image may have is an
// error. The lines are for people: which programs are left out.
func System(ctx context.Context, archives *debian.Archives, base lock.Debian, packages []string) (lock.System, []string, error) {
	lists, err := DefaultLists()
	if err != nil {
		return lock.System{}, nil, err
	}
	return systemLock{base: base, packages: packages, without: lists.Debian.Without}.lock(ctx, archives)
}

// systemLock is what to lock.
type systemLock struct {
	base     lock.Debian
	packages []string
	without  []Without
	// dev is for a twin for build stages: it may have what no other image may.
	dev bool
}

func (l systemLock) lock(ctx context.Context, archives *debian.Archives) (lock.System, []string, error) {
	keys, err := archiveKeys()
	if err != nil {
		return lock.System{}, nil, err
	}
	r := debianResolver{source: archives, keys: keys, now: time.Now()}
	s, why, err := r.system(ctx, l)
	if err != nil {
		return lock.System{}, nil, fmt.Errorf("resolving Debian packages: %w", err)
	}
	lines, err := l.addLayers(ctx, archives, s, why)
	if err != nil {
		return lock.System{}, nil, err
	}
	return s, lines, nil
}

// system resolves the packages, and returns what says why one of them is there. The layers
// are not made.
func (r debianResolver) system(ctx context.Context, l systemLock) (s lock.System, why func(string) string, err error) {
	base := l.base
	s = lock.System{Packages: slices.Compact(slices.Sorted(slices.Values(l.packages))), Platforms: map[string]lock.SystemPlatform{}}
	if err := checkNames(s.Packages); err != nil {
		return s, nil, err
	}
	for _, suite := range base.Suites {
		r.in.Suites = append(r.in.Suites, ListedSuite{Archive: suite.Archive, Name: suite.Name})
	}
	platforms := slices.Sorted(maps.Keys(base.Platforms))
	pools, err := r.pools(ctx, platforms)
	if err != nil {
		return s, nil, err
	}
	s.Suites = pools[0].suites
	problems := problems{}
	for i, platform := range platforms {
		root := base.Platforms[platform].Rootfs
		a := addition{pool: pools[i], modules: l.dev}
		for _, w := range l.without {
			a.without = append(a.without, w.Package)
		}
		if a.base, err = a.locked(root.Packages); err != nil {
			return s, nil, err
		}
		chosen, errs := a.all(s.Packages)
		if i == 0 {
			why = a.why // on all platforms, but for rare cases
		}
		problems.add(platform, errs)
		s.Platforms[platform] = lock.SystemPlatform{Base: root.Digest, Added: layerOf(chosen)}
	}
	return s, why, problems.join()
}

// pools reads the suites' indexes for each platform.
func (r debianResolver) pools(ctx context.Context, platforms []string) ([]*pool, error) {
	pools := make([]*pool, len(platforms))
	eg, ctx := errgroup.WithContext(ctx)
	for i, platform := range platforms {
		eg.Go(func() (err error) {
			pools[i], err = r.fetchPool(ctx, architectures[platform])
			return err
		})
	}
	return pools, eg.Wait()
}

func checkNames(packages []string) error {
	var errs []error
	for _, name := range packages {
		if !names.Debian.MatchString(name) {
			errs = append(errs, fmt.Errorf("%q: not a Debian package name", name))
		}
	}
	if len(packages) == 0 {
		errs = append(errs, errors.New("no packages"))
	}
	return errors.Join(errs...)
}

// addLayers makes the layer of each platform.
func (l systemLock) addLayers(ctx context.Context, archives *debian.Archives, s lock.System, why func(string) string) ([]string, error) {
	var lines []string
	problems := problems{}
	for _, p := range lucidbase.AllPlatforms() {
		platform := lucidbase.FormatPlatform(p)
		locked, ok := s.Platforms[platform]
		if !ok {
			continue
		}
		if len(locked.Added.Packages) == 0 {
			locked.Added = lock.Layer{}
			s.Platforms[platform] = locked
			continue
		}
		root, _ := supply.Debian(l.base, p)
		added, errs, err := l.addLayer(ctx, archives, supply.DebianSystem(s, p), root)
		if err != nil {
			return nil, explained(err, why)
		}
		for i, err := range errs {
			errs[i] = explained(err, why)
		}
		problems.add(platform, errs)
		locked.Added = added.Layer
		s.Platforms[platform] = locked
		for _, line := range dropped(added) {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines, problems.join()
}

// explained adds why the package is there that an error is about.
func explained(err error, why func(string) string) error {
	var of *debian.PackageError
	if errors.As(err, &of) {
		if text := why(of.Package); text != "" {
			return fmt.Errorf("%w (%s)", err, text)
		}
	}
	return err
}

// never are the rules about what no image may have, whatever else is in it.
var never = []string{"shell", "package-manager", "compiler", "packed", "setuid", "capabilities", "device", "world-writable"}

// addLayer makes a layer, and returns what no image may have of it.
func (l systemLock) addLayer(ctx context.Context, archives *debian.Archives, in, root lucidbase.Input) (debian.Addition, []error, error) {
	f, err := atomicfile.Create(archives.Cache)
	if err != nil {
		return debian.Addition{}, nil, fmt.Errorf("making the layer: %w", err)
	}
	defer f.Close()
	added, err := archives.Add(ctx, in, root, f)
	if err != nil {
		return added, nil, err
	}
	image, err := layerAlone(f, added.Layer, in.Platform)
	if err != nil {
		return added, nil, err
	}
	result, err := verify.Image(ctx, image, verify.Contract{Only: never, Dev: l.dev}, nil)
	var errs []error
	for _, found := range result.Findings {
		owner := added.Owners[found.Path]
		errs = append(errs, &debian.PackageError{Package: owner, Err: fmt.Errorf("package %s: %s: %s: %s", owner, found.Path, found.Rule, found.Found)})
	}
	return added, errs, err
}

// blob is a layer that is open.
type blob struct{ io.ReaderAt }

// Blob implements v1image.Blobs.
func (b blob) Blob(d v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(b, 0, d.Size)), nil
}

// layerAlone is an image of nothing but a layer.
func layerAlone(content io.ReaderAt, l lock.Layer, p ocispecs.Platform) (v1.Image, error) {
	digest, err := v1.NewHash(l.Digest)
	if err != nil {
		return nil, err
	}
	layer := v1image.NewLayer(blob{content}, v1.Descriptor{MediaType: types.OCIUncompressedLayer, Digest: digest, Size: l.Size}, digest)
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: p.OS, Architecture: p.Architecture})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, layer)
}

// dropped says which files of a layer are left out, a line for each package and reason.
func dropped(added debian.Addition) []string {
	type group struct{ owner, why string }
	groups := map[group][]string{}
	for _, name := range slices.Sorted(maps.Keys(added.Dropped)) {
		g := group{added.Owners[name], added.Dropped[name]}
		groups[g] = append(groups[g], name)
	}
	var lines []string
	for g, files := range groups {
		more := ""
		if len(files) > 1 {
			more = fmt.Sprintf(" and %d more", len(files)-1)
		}
		lines = append(lines, fmt.Sprintf("%s: %s%s left out: %s", g.owner, files[0], more, g.why))
	}
	slices.Sort(lines)
	return lines
}

// SystemChanges says what differs between two locks, as Changes does.
func SystemChanges(old, now lock.System) []string {
	before, after := systemTable(old), systemTable(now)
	if lines := before.diff("debian", after); len(lines) > 0 {
		return lines
	}
	if string(old.Format()) == string(now.Format()) {
		return nil
	}
	return []string{"debian packages: the base or the dates of the indexes"}
}

func systemTable(s lock.System) table {
	t := table{}
	for platform, p := range s.Platforms {
		for _, pkg := range p.Added.Packages {
			t.add(pkg.Name, platform, item{version: pkg.Version, content: fmt.Sprint(pkg), what: "another file of the same version"})
		}
	}
	return t
}
