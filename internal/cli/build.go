package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/variants"
)

// buildFlags are the flags of build, each with the environment variable of the
// old scripts as its default.
type buildFlags struct {
	engineFlags
	file        fileFlag
	to          outputFlags
	platforms   string
	tags        tagFlags
	noCache     bool
	registry    string
	metadata    string
	compression string
	relock      bool
}

func newBuild(s Streams, own []image) *cobra.Command {
	b := buildFlags{file: fileFlag{own: own}}
	cmd := &cobra.Command{
		Use:   "build [IMAGE...]",
		Short: "Build base images, or the services of a file, and write, load or push them",
		Long: "Build the images base (or standard), python-base (or python), bare-base (or bare) and alpine-base\n" +
			"(or alpine), or with -f services of a file; no name means all. With -dev behind it, a name is the base's twin for\n" +
			"build stages and debugging, with a shell and pip. Alpine's are made from an image of docker.io, or of its --image-mirror.\n" +
			"Each is written to DIR/NAME as an OCI image layout, or goes where --load, --push and --output say, to several places at once.\n\n" +
			"It is built by what --engine or BUILDKIT_HOST names; with neither, by the BuildKit in this program on Linux and by Docker's elsewhere.\n" +
			"--engine several times is several nodes at once. tcp:// is encrypted with ?cert=DIR or LUCID_ENGINE_CERTS.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromEnv(cmd, s.Getenv); err != nil {
				return err
			}
			if b.relock && (own != nil || b.file.path != "") {
				return usagef("--relock is for base images, -f for services, which their locks are for")
			}
			if err := b.to.checkArgs(args); err != nil {
				return err
			}
			found, err := b.file.find(args)
			if err != nil {
				return err
			}
			return b.run(cmd.Context(), s, found)
		},
	}
	if own != nil {
		cmd.Use, cmd.Short = "build [NAME...]", "Build services, and write, load or push them"
		cmd.Long = "Build the named services, or all. Each is written to DIR/NAME as an OCI image layout, or goes where --load, --push and --output say, to several places at once."
	}
	f := cmd.Flags()
	f.StringVar(&b.platforms, "platform", "linux/amd64,linux/arm64", "platforms, with commas between; $PLATFORM")
	b.to.add(f)
	b.tags.add(f)
	f.BoolVar(&b.noCache, "no-cache", false, "run every step again; $NO_CACHE")
	f.StringVar(&b.registry, "registry", "lucid", "registry and path before the images' names; $REGISTRY")
	f.StringVar(&b.metadata, "metadata-file", "", "write names, digests and sizes to a JSON file")
	f.StringVar(&b.compression, "compression", string(engine.Gzip), "compression of the layers: gzip or zstd")
	f.BoolVar(&b.relock, "relock", false, "when a locked Debian package is nowhere to be had any more, resolve the lists afresh and build from that")
	f.StringArrayVar(&b.cacheFrom, "cache-from", nil, "take steps that other machines ran from type=registry,ref=REF or type=local,src=DIR; may be repeated")
	f.StringArrayVar(&b.cacheTo, "cache-to", nil, "write steps for other machines to type=registry,ref=REF or type=local,dest=DIR, with mode=max all of them; may be repeated")
	b.add(f)
	b.file.add(f)
	return cmd
}

// fromEnv sets the flags that the command line does not from the old scripts'
// environment variables.
func fromEnv(cmd *cobra.Command, getenv func(string) string) error {
	for _, flag := range []string{"platform", "push", "tag", "no-cache", "registry"} {
		variable := strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		value := getenv(variable)
		if value == "" || cmd.Flags().Changed(flag) {
			continue
		}
		if err := cmd.Flags().Set(flag, value); err != nil {
			return usagef("environment variable %s: %w", variable, err)
		}
	}
	return nil
}

func (b *buildFlags) run(ctx context.Context, s Streams, found []image) error {
	version, err := b.tags.version(s)
	if err == nil {
		err = b.tags.checkSeries(s, b.to.push)
	}
	if err != nil {
		return err
	}
	platforms, err := parsePlatforms(b.platforms)
	if err != nil {
		return err
	}
	if err := b.to.check(s.Out, len(platforms)); err != nil {
		return err
	}
	jobs := make([]engine.Job, len(found))
	for i, im := range found {
		if jobs[i], err = b.job(s, im, platforms); err != nil {
			return err
		}
	}
	if err := b.checkMetadata(); err != nil {
		return err
	}
	eng, err := b.open(ctx, s)
	if err != nil {
		return err
	}
	defer eng.Close()
	options := variants.Options{Version: version}
	if b.relock {
		notify := func(line string) { fmt.Fprintln(s.Err, "lucidbase: "+line) }
		if options.Locks, err = resolve.Relock(ctx, eng.Resolver(), platforms, notify); err != nil {
			return err
		}
	}
	for i, im := range found {
		jobs[i].Spec = im.spec(options)
	}
	found, jobs, unreached := reachable(ctx, eng, found, jobs)
	if len(jobs) == 0 {
		return unreached
	}
	results, err := eng.BuildAll(ctx, jobs)
	if err == nil {
		err = b.report(s, found, results)
	}
	if err != nil {
		return errors.Join(err, unreached)
	}
	b.to.offer(ctx, s)
	return errors.Join(b.limitCache(ctx, eng), unreached)
}

// reachable leaves out the images whose upstream image can be had from nowhere:
// the others do not wait for it.
func reachable(ctx context.Context, eng *engine.Engine, found []image, jobs []engine.Job) (left []image, todo []engine.Job, err error) {
	var errs []error
	for i, job := range jobs {
		spec, err := eng.Resolve(ctx, job.Spec, job.Platforms)
		if errors.Is(err, alpine.ErrNoImage) {
			errs = append(errs, fmt.Errorf("%s: %w", found[i].name, err))
			continue
		}
		if err == nil { // else the build says what is wrong
			job.Spec = spec
		}
		left, todo = append(left, found[i]), append(todo, job)
	}
	return left, todo, errors.Join(errs...)
}

func parsePlatforms(list string) ([]ocispecs.Platform, error) {
	var platforms []ocispecs.Platform
	for _, text := range strings.Split(list, ",") {
		p, err := lucidbase.ParsePlatform(text)
		if err != nil {
			return nil, usagef("--platform: %w", err)
		}
		platforms = append(platforms, p)
	}
	return platforms, nil
}

func (b *buildFlags) job(s Streams, im image, platforms []ocispecs.Platform) (engine.Job, error) {
	registry := strings.TrimSuffix(b.registry, "/")
	ref := registry + "/" + im.name + ":" + b.tags.first()
	_, err := name.NewTag(ref)
	if registry == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return engine.Job{}, usagef("--registry %q: %w", b.registry, err)
	}
	to := b.to.destinations(s.Out, im.name, ref)
	for i := range to {
		to[i].Tags = b.tags.names[1:]
	}
	to[len(to)-1].Series = b.tags.series // what is pushed is the last
	job := engine.Job{
		Platforms:   platforms,
		NoCache:     b.noCache,
		Compression: engine.Compression(b.compression),
		To:          to[0],
		Also:        to[1:],
	}
	if job.Compression != engine.Gzip && job.Compression != engine.Zstd {
		return engine.Job{}, usagef("--compression %q: not gzip or zstd", b.compression)
	}
	return job, nil
}

type metadata struct {
	Images []imageMetadata `json:"images"`
}

type imageMetadata struct {
	Name      string             `json:"name"`
	Ref       string             `json:"ref"`
	Tags      []string           `json:"tags"`
	Digest    string             `json:"digest"`
	Platforms []platformMetadata `json:"platforms"`
}

type platformMetadata struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	// Size is the number of compressed bytes of all layers.
	Size int64 `json:"size"`
}

// report writes the metadata file and prints a line for each image and tag.
func (b *buildFlags) report(s Streams, found []image, results []engine.Result) error {
	var m metadata
	for i, res := range results {
		im := imageMetadata{Name: found[i].name, Ref: res.Name, Tags: res.Tags, Digest: res.Digest}
		for _, p := range res.Platforms {
			im.Platforms = append(im.Platforms, platformMetadata{lucidbase.FormatPlatform(p.Platform), p.Digest, p.Size})
		}
		m.Images = append(m.Images, im)
	}
	if err := b.writeMetadata(m); err != nil {
		return err
	}
	for i, res := range results {
		repo := strings.TrimSuffix(res.Name, ":"+res.Tags[0])
		for _, tag := range res.Tags {
			fmt.Fprintf(b.to.results(s), "%s %s:%s@%s\n", found[i].name, repo, tag, res.Digest)
		}
	}
	return nil
}

func (b *buildFlags) checkMetadata() error {
	if b.metadata == "" {
		return nil
	}
	if err := checkFile(b.metadata); err != nil {
		return fmt.Errorf("--metadata-file %s: %w", b.metadata, err)
	}
	return nil
}

func (b *buildFlags) writeMetadata(m metadata) error {
	if b.metadata == "" {
		return nil
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Dir(b.metadata), map[string][]byte{filepath.Base(b.metadata): append(data, '\n')})
}
