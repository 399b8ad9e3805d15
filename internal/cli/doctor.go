package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/doctor"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// errUnwell says that doctor found something bad, which is printed.
var errUnwell = errors.New("something is missing")

type doctorFlags struct {
	engineFlags
	registry, format string
}

func newDoctor(s Streams) *cobra.Command {
	var d doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what builds on this machine lack, and say what to do",
		Long: "Look at the engine, runc, namespaces, control groups, disk, memory, certificates, mirrors, clock, registry and Docker, all at\n" +
			"once, in a few seconds, and change nothing. Each line begins with ok, note (not every build needs it) or bad.\n\n" +
			"Exit status: 0 nothing is bad, 1 something is, 2 wrong command line.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.format != "table" && d.format != "json" {
				return usagef("--format %q: not table or json", d.format)
			}
			if err := d.validate(); err != nil {
				return err
			}
			m, err := d.machine(s)
			if err != nil {
				return err
			}
			return d.report(s.Out, m.Look(cmd.Context()))
		},
	}
	f := cmd.Flags()
	d.add(f)
	f.StringVar(&d.registry, "registry", "", "registry and path that images are to be pushed to; $REGISTRY")
	f.StringVar(&d.format, "format", "table", "table or json")
	return cmd
}

// machine is what to look at, by the flags and variables that build has.
func (d *doctorFlags) machine(s Streams) (*doctor.Machine, error) {
	own, buildkit := versions()
	m := &doctor.Machine{Version: own + ", BuildKit " + buildkit + ", " + runtime.Version(), CacheDir: d.cacheDir, Now: time.Now}
	if m.CacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding the cache directory: %w", err)
		}
		m.CacheDir = filepath.Join(dir, "lucidbase")
	}
	var err error
	m.Mirrors, err = debian.Mirrors(os.DirFS("/"), cmp.Or(d.debianMirror, s.Getenv("LUCID_DEBIAN_MIRROR")), cmp.Or(d.securityMirror, s.Getenv("LUCID_DEBIAN_SECURITY_MIRROR")))
	if err != nil {
		return nil, err
	}
	for _, variable := range []string{"UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"} {
		if address := s.Getenv(variable); address != "" {
			m.Indexes = []string{address}
			break
		}
	}
	m.Transport, m.TrustError = engine.RegistryTransport(d.options(s)...)
	m.Engine, m.Hint = d.connect(s), hint
	named := strings.Split(cmp.Or(d.address(), s.Getenv("BUILDKIT_HOST")), ",")
	m.Embedded = slices.Contains(named, "embedded") || named[0] == "" && runtime.GOOS == "linux"
	if m.Registry = cmp.Or(d.registry, s.Getenv("REGISTRY")); m.Registry == "" {
		return m, nil
	}
	tag, err := name.NewTag(strings.TrimSuffix(m.Registry, "/") + "/base")
	if err != nil {
		return nil, usagef("--registry %q: %w", m.Registry, err)
	}
	m.Push = pushable(tag, m.Transport)
	return m, nil
}

// connect opens the engine as a build does, with a cache that it leaves nothing in.
func (d *doctorFlags) connect(s Streams) func(ctx context.Context) (found, without string, err error) {
	return func(ctx context.Context) (found, without string, err error) {
		dir, err := os.MkdirTemp("", "lucidbase-doctor-")
		if err != nil {
			return "", "", err
		}
		defer os.RemoveAll(dir)
		var notes strings.Builder
		eng, err := engine.Open(ctx, d.address(), append(d.options(s), engine.WithCacheDir(dir), engine.WithProgress(&notes))...)
		if err != nil {
			return "", "", err
		}
		return eng.String(), notes.String(), eng.Close()
	}
}

// pushable asks a registry what a push asks before it builds.
func pushable(tag name.Tag, transport http.RoundTripper) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if transport == nil {
			return errors.New("not asked: see trust")
		}
		to := engine.Push(tag.String())
		return to.Output.Check(ctx, engine.Delivery{Images: []engine.Image{{Name: tag}}, Transport: transport})
	}
}

func (d *doctorFlags) report(w io.Writer, findings []doctor.Finding) error {
	write := writeFindings
	if d.format == "json" {
		write = func(w io.Writer, findings []doctor.Finding) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			return enc.Encode(findings)
		}
	}
	if err := write(w, findings); err != nil {
		return err
	}
	if slices.ContainsFunc(findings, func(f doctor.Finding) bool { return f.Status == doctor.Bad }) {
		return errUnwell
	}
	return nil
}

func writeFindings(w io.Writer, findings []doctor.Finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		line := f.Found
		if f.Advice != "" {
			line += ": " + f.Advice
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Status, f.Check, line)
	}
	return t.Flush()
}
