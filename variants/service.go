package variants

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Service is an image that runs a program of one's own: a base image, the packages of
// a lock, and the program's source as the last layer. The directory /app is the
// working directory and is on Python's path, for "python -m", for a script and for
// servers that import a module alike. It belongs to root, as all does but Writable.
type Service struct {
	// Name is the image's name without a registry, such as "gateway".
	Name string
	// Base is what the service stands on, such as Python{}. Its Env and Labels are the
	// service's too, where the service has none of the name, and its Waivers; its Packages
	// must be empty.
	Base Base
	// Lock has all packages of the image: what lock.Read returns of the lock that
	// "lucidbase lock -r FILE --base BASE" wrote. The zero value means the packages of
	// the base.
	Lock lock.Packages
	// System are Debian packages that the service needs besides those of its base, such
	// as libpq5, with what they need: what lock.ReadSystem returns of the lock that
	// "lucidbase lock --system libpq5" wrote. Their layer is between the base's and
	// those of Lock. A base that is not Debian can have none.
	System lock.System
	// Source is what the service's own files are. No two may have the same file.
	Source []Source
	// Command is what the container runs, in words, such as "python", "-m", "src.main".
	Command []string
	// Env adds to the environment. A PYTHONPATH is put behind /app.
	Env map[string]string
	// Labels adds to the image's labels.
	Labels map[string]string
	// Port is where the service listens, from 1 to 65535: the image exposes it, and has
	// it in the variable PORT, which the health check reads. Zero means none.
	Port int
	// Ports are further ones that the image exposes.
	Ports []int
	// Health is how a container is found to work; the zero value checks nothing.
	Health Health
	// Writable are directories that the image's user, 65532, owns, such as "/app/data".
	// Each is a volume: it can be written where the root file system cannot.
	Writable []string
	// Version is the label org.opencontainers.image.version.
	Version string
	// Waivers excuse single files from single rules of the contract, each with a reason.
	Waivers []verify.Waiver
}

// Source is a directory of the service's own files.
type Source struct {
	// From is the directory: what Dir or FS returns.
	From From
	// To is where its content goes: "/app", or a path below it.
	To string
	// Include are patterns of what is taken, as in a .dockerignore; none means
	// everything.
	Include []string
	// Exclude are patterns of what is left out, besides what a .dockerignore names. What
	// Git and Python keep for themselves is always left out: .git, __pycache__.
	Exclude []string
}

// From is a directory of whoever builds.
type From struct {
	dir  string
	fsys fs.FS
}

// Dir is a directory by its path; a relative one is below the program's working
// directory. The nearest .dockerignore counts: its own, or that of a directory above it
// in the same Git repository.
func Dir(path string) From { return From{dir: path} }

// FS is a file system, such as an embed.FS, as a directory. The pattern of a go:embed
// must begin with all:, as in "all:src": without it Go leaves out __init__.py, and
// whatever begins with "_" or ".".
func FS(fsys fs.FS) From { return From{fsys: fsys} }

// leftOut is what no image needs of a directory.
var leftOut = []string{"**/.git", "**/__pycache__", "**/.dockerignore"}

const appDir = "/app"

// Graph returns the image's graph for one platform. Every wrong field is reported.
func (s Service) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	g, err := s.graph(p)
	if err != nil {
		return lucidbase.Graph{}, each(err, s.Name)
	}
	return g, nil
}

// each puts a name before every one of several errors.
func each(err error, name string) error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for _, one := range several.Unwrap() {
		errs = append(errs, each(one, name))
	}
	return errors.Join(errs...)
}

func (s Service) graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	if s.Base == nil {
		return lucidbase.Graph{}, s.Validate()
	}
	b, err := s.Base.base().complete()
	if err != nil {
		return lucidbase.Graph{}, err
	}
	own := s.on(b)
	if err := errors.Join(s.check(b), s.checkSystem(b, p), own.check(p), own.checkPackages("Lock", p)); err != nil {
		return lucidbase.Graph{}, err
	}
	im, err := own.image(p)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	s.addSystem(&im)
	if len(s.Source)+len(s.Writable) > 0 {
		im.layers = append(im.layers, layer{im.builder.Service(s.step()), "source"})
	}
	g, err := own.finish(im)
	g.Locals = s.locals()
	for _, from := range s.step().From {
		g.Contract.Copied = append(g.Contract.Copied, verify.Copied{Path: from.To, Source: from.Shown})
	}
	s.configure(&g.Config.Config, im.target)
	return g, err
}

// on returns the base with what the service has of its own.
func (s Service) on(b base) base {
	b.name, b.description = s.Name, ""
	b.Packages = s.Lock
	b.Version = s.Version
	b.Waivers = slices.Concat(b.Waivers, s.Waivers)
	b.Labels = merged(b.Labels, s.Labels)
	b.Env = merged(b.Env, s.Env)
	if s.Port != 0 {
		b.Env["PORT"] = strconv.Itoa(s.Port)
	}
	b.Env["PYTHONPATH"] = strings.TrimSuffix(appDir+":"+b.Env["PYTHONPATH"], ":")
	return b
}

// addSystem puts the layer of System above the base's.
func (s Service) addSystem(im *image) {
	im.labels[LockDigestLabel] = s.System.DigestWith(im.labels[LockDigestLabel])
	in := supply.DebianSystem(s.System, im.target.Platform)
	if len(in.Layer.Packages) == 0 {
		return
	}
	im.added = in.Layer.Packages
	im.inputs = append(slices.Clone(im.inputs), in)
	im.layers = slices.Insert(im.layers, 1, layer{in.State(), "Debian packages " + strings.Join(s.System.Packages, ", ")})
}

// merged returns a map of its own with the entries of both; those of over win.
func merged(under, over map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, under)
	maps.Copy(all, over)
	return all
}

// local is what the client calls a directory of the service.
func (s Service) local(i int) string { return fmt.Sprintf("%s-source-%d", s.Name, i+1) }

func (s Service) locals() map[string]lucidbase.Local {
	all := map[string]lucidbase.Local{}
	for i, from := range s.Source {
		all[s.local(i)] = lucidbase.Local{
			Dir: from.From.dir, FS: from.From.fsys, Include: from.Include, Exclude: slices.Concat(leftOut, from.Exclude),
		}
	}
	return all
}

func (s Service) step() stage.Service {
	step := stage.Service{Name: "source of " + s.Name, Writable: s.Writable}
	for i, from := range s.Source {
		shown := cmp.Or(from.From.dir, s.local(i))
		step.From = append(step.From, stage.Directory{Local: s.local(i), Shown: shown, To: from.To})
	}
	return step
}

// configure says in the image's configuration how the service runs.
func (s Service) configure(c *dockerspec.DockerOCIImageConfig, t stage.Target) {
	c.Cmd = slices.Clone(s.Command)
	for _, port := range s.ports() {
		if c.ExposedPorts == nil {
			c.ExposedPorts = map[string]struct{}{}
		}
		c.ExposedPorts[strconv.Itoa(port)+"/tcp"] = struct{}{}
	}
	for _, dir := range s.Writable {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		c.Volumes[dir] = struct{}{}
	}
	c.Healthcheck = s.Health.config(t)
}

// ports lists all ports.
func (s Service) ports() []int {
	if s.Port == 0 {
		return s.Ports
	}
	return append([]int{s.Port}, s.Ports...)
}

// below reports whether a path is a directory or in it.
func below(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }
