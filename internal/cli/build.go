package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
	"golang.org/x/mod/semver"

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
	platforms   string
	push        bool
	tag         string
	noCache     bool
	registry    string
	output      string
	metadata    string
	compression string
	relock      bool
}

func newBuild(s Streams, own []image) *cobra.Command {
	b := buildFlags{file: fileFlag{own: own}}
	cmd := &cobra.Command{
		Use:   "build [IMAGE...]",
		Short: "Build base images, or the services of a file, and write or push them",
		Long: "Build the images base (or standard), python-base (or python), bare-base (or bare) and alpine-base\n" +
			"(or alpine), or with -f services of a file; no name means all. The last base is made from an image of docker.io, or of its --image-mirror.\n" +
			"Each is written to DIR/NAME as an OCI image layout, or pushed with --push.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromEnv(cmd, s.Getenv); err != nil {
				return err
			}
			if b.push && cmd.Flags().Changed("output") {
				return usagef("--output and --push exclude each other: an image is written or pushed")
			}
			if b.relock && (own != nil || b.file.path != "") {
				return usagef("--relock is for base images, -f for services, which their locks are for")
			}
			found, err := b.file.find(args)
			if err != nil {
				return err
			}
			return b.run(cmd.Context(), s, found)
		},
	}
	if own != nil {
		cmd.Use, cmd.Short = "build [NAME...]", "Build services, and write or push them"
		cmd.Long = "Build the named services, or all. Each is written to DIR/NAME as an OCI image layout, or pushed with --push."
	}
	f := cmd.Flags()
	f.StringVar(&b.platforms, "platform", "linux/amd64,linux/arm64", "platforms, with commas between; $PLATFORM")
	f.BoolVar(&b.push, "push", false, "push to the registry instead of writing to a directory; $PUSH")
	f.StringVar(&b.tag, "tag", "latest", "tag of the images; a semantic version becomes a label; $TAG")
	f.BoolVar(&b.noCache, "no-cache", false, "run every step again; $NO_CACHE")
	f.StringVar(&b.registry, "registry", "lucid", "registry and path before the images' names; $REGISTRY")
	f.StringVar(&b.output, "output", "dist", "directory for the image layouts, one below it for each image")
	f.StringVar(&b.metadata, "metadata-file", "", "write names, digests and sizes to a JSON file")
	f.StringVar(&b.compression, "compression", string(engine.Gzip), "compression of the layers: gzip or zstd")
	f.BoolVar(&b.relock, "relock", false, "when a locked Debian package is nowhere to be had any more, resolve the lists afresh and build from that")
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
	version, err := b.version(s)
	if err != nil {
		return err
	}
	platforms, err := parsePlatforms(b.platforms)
	if err != nil {
		return err
	}
	jobs := make([]engine.Job, len(found))
	for i, im := range found {
		if jobs[i], err = b.job(im, platforms); err != nil {
			return err
		}
	}
	if err := b.checkOutputs(); err != nil {
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

var validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`) // OCI distribution spec, "Pulling manifests"
var likeVersion = regexp.MustCompile(`^v?[0-9]+\.[0-9.]+`)

// version returns the tag if it is a semantic version.
func (b *buildFlags) version(s Streams) (string, error) {
	if !validTag.MatchString(b.tag) {
		return "", usagef("--tag %q: not a valid tag: letters, digits, '_', '.' and '-', at most 128, not '.' or '-' first", b.tag)
	}
	v := "v" + strings.TrimPrefix(b.tag, "v")
	if semver.IsValid(v) && semver.Canonical(v) == v {
		return b.tag, nil
	}
	if likeVersion.MatchString(b.tag) {
		fmt.Fprintf(s.Err, "lucidbase: tag %s looks like a version but is no semantic version (MAJOR.MINOR.PATCH): the images get no version label\n", b.tag)
	}
	return "", nil
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

func (b *buildFlags) job(im image, platforms []ocispecs.Platform) (engine.Job, error) {
	ref := strings.TrimSuffix(b.registry, "/") + "/" + im.name + ":" + b.tag
	if _, err := name.NewTag(ref); err != nil {
		return engine.Job{}, usagef("--registry %q: %w", b.registry, err)
	}
	job := engine.Job{
		Platforms:   platforms,
		NoCache:     b.noCache,
		Compression: engine.Compression(b.compression),
		To:          engine.Layout(filepath.Join(b.output, im.name), ref),
	}
	if b.push {
		job.To = engine.Push(ref)
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
	Digest    string             `json:"digest"`
	Platforms []platformMetadata `json:"platforms"`
}

type platformMetadata struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	// Size is the number of compressed bytes of all layers.
	Size int64 `json:"size"`
}

// report writes the metadata file and prints a line for each image.
func (b *buildFlags) report(s Streams, found []image, results []engine.Result) error {
	var m metadata
	for i, res := range results {
		im := imageMetadata{Name: found[i].name, Ref: res.Name, Digest: res.Digest}
		for _, p := range res.Platforms {
			im.Platforms = append(im.Platforms, platformMetadata{lucidbase.FormatPlatform(p.Platform), p.Digest, p.Size})
		}
		m.Images = append(m.Images, im)
	}
	if err := b.writeMetadata(m); err != nil {
		return err
	}
	for i, res := range results {
		fmt.Fprintf(s.Out, "%s %s\n", found[i].name, res.Ref)
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
