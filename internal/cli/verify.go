package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

type verifyFlags struct {
	format, platforms, as, caBundle, cacheDir string
	only, except, waive                       []string
	rules, dev                                bool
	registries                                registryFlags
	notes                                     io.Writer // lines about registries that are waited for go here

	want    []v1.Platform
	waivers []verify.Waiver
}

var formats = map[string]func(io.Writer, judgement) error{
	"table": writeTable, "json": writeJSON, "sarif": writeSARIF, "junit": writeJUnit,
}

func newVerify(s Streams) *cobra.Command {
	var v verifyFlags
	cmd := &cobra.Command{
		Use:   "verify REF|LAYOUT|TAR...",
		Short: "Prove that images are distroless, whoever built them",
		Long: "Judge images by the contract that this library holds its own to: what must not be there,\n" +
			"who it runs as, whether it can work, where it comes from. An image is a reference in a\n" +
			"registry (read with your Docker credentials), or a directory or tar: an OCI layout, what\n" +
			"'docker save', 'podman save' or 'cosign save' write. All its platforms are judged, and\n" +
			"signatures and attestations are passed over. 'verify --rules' lists the rules.\n\n" +
			"Exit status: 0 no findings, 1 findings, 2 wrong command line, 3 something could not be read.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := v.check(args); err != nil {
				return err
			}
			if v.rules {
				return unreadable(writeRules(s.Out))
			}
			if v.caBundle == "" {
				v.caBundle = s.Getenv("SSL_CERT_FILE")
			}
			v.notes = s.Err
			return v.run(cmd.Context(), s, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&v.format, "format", "table", "table, json, sarif or junit")
	f.StringSliceVar(&v.only, "only", nil, "apply these `rules` alone, with commas between")
	f.StringSliceVar(&v.except, "except", nil, "leave these `rules` out")
	f.StringArrayVar(&v.waive, "waive", nil, "`RULE:PATH=REASON`: accept what is found at this path; may be repeated")
	f.StringVar(&v.platforms, "platform", "", "platforms that must be there, with commas between; others are not judged (default all that are there)")
	f.StringVar(&v.as, "as", "", "`image` of this library (base, python-base) whose locks the images must follow")
	f.BoolVar(&v.dev, "dev", false, "judge twins for build stages and debugging, which have a shell and pip and a label that says so")
	f.BoolVar(&v.rules, "rules", false, "list the rules and exit")
	f.StringVar(&v.cacheDir, "cache-dir", "", "directory that remembers what was found in layers (default lucidbase in the user's cache directory)")
	f.StringVar(&v.caBundle, "ca-bundle", "", "PEM `file` of certificate authorities to trust besides the system's; $SSL_CERT_FILE")
	v.registries.add(f)
	return cmd
}

// check reads the flags that flags alone decide on.
func (v *verifyFlags) check(args []string) error {
	if len(args) == 0 && !v.rules {
		return usagef("no image: name a reference, an OCI layout or a tar")
	}
	if err := v.registries.check(); err != nil {
		return err
	}
	if formats[v.format] == nil {
		return usagef("--format %q: not one of table, json, sarif, junit", v.format)
	}
	for _, list := range [][]string{v.only, v.except} {
		for _, name := range list {
			if !slices.ContainsFunc(verify.Rules(), func(r verify.Rule) bool { return r.Name == name }) {
				return usagef("no rule %q; 'lucidbase verify --rules' lists them", name)
			}
		}
	}
	for _, text := range v.waive {
		w, err := verify.ParseWaiver(text)
		if err != nil {
			return usagef("--waive: %w", err)
		}
		v.waivers = append(v.waivers, w)
	}
	if v.platforms != "" {
		platforms, err := parsePlatforms(v.platforms)
		if err != nil {
			return err
		}
		for _, p := range platforms {
			v.want = append(v.want, v1.Platform{OS: p.OS, Architecture: p.Architecture})
		}
	}
	if v.as != "" {
		_, err := findImages([]string{v.as})
		return err
	}
	return nil
}

// errFindings ends a run that has printed its findings.
var errFindings = errors.New("findings")

func (v *verifyFlags) run(ctx context.Context, s Streams, args []string) error {
	j := judgement{waivers: v.waivers}
	for _, r := range verify.Rules() {
		if (len(v.only) == 0 || slices.Contains(v.only, r.Name)) && !slices.Contains(v.except, r.Name) {
			j.rules = append(j.rules, r)
		}
	}
	found := false
	for _, arg := range args {
		results, notes, err := v.judge(ctx, arg)
		if ctx.Err() != nil {
			return unreadable(ctx.Err())
		}
		for _, note := range notes {
			fmt.Fprintf(s.Err, "lucidbase: %s\n", verify.Printable(note))
		}
		if err != nil {
			j.unread = append(j.unread, unread{arg, err})
		}
		for _, r := range results {
			found = found || len(r.Findings) > 0
		}
		j.results = append(j.results, results...)
	}
	if err := formats[v.format](s.Out, j); err != nil {
		return unreadable(fmt.Errorf("writing the report: %w", err))
	}
	for _, w := range j.unusedWaivers() {
		fmt.Fprintf(s.Err, "lucidbase: waiver %s: there is nothing to waive\n", verify.Printable(w.String()))
	}
	if errs := j.errors(); errs != nil {
		return unreadable(errs)
	}
	if found {
		return errFindings
	}
	return nil
}

// judge verifies all images of an argument.
func (v *verifyFlags) judge(ctx context.Context, arg string) (results []judged, notes []string, err error) {
	subjects, release, err := v.open(ctx, arg)
	defer func() { err = errors.Join(err, release()) }()
	for _, s := range subjects {
		notes = append(notes, s.Notes...)
		found, err := v.verify(ctx, s)
		if err != nil && len(subjects) > 1 {
			err = fmt.Errorf("%s: %w", s.Name, err)
		}
		if err != nil {
			return results, notes, err
		}
		results = append(results, found...)
	}
	return results, notes, err
}

func (v *verifyFlags) verify(ctx context.Context, s subject) ([]judged, error) {
	idx := s.Index
	if len(v.want) > 0 {
		idx = narrow(idx, v.want)
	}
	var wrong error
	contract := func(p v1.Platform) verify.Contract {
		c, err := v.contract(p)
		wrong = errors.Join(wrong, err)
		return c
	}
	found, err := verify.Index(ctx, idx, v.want, contract, s.store)
	if err := errors.Join(wrong, err); err != nil {
		return nil, err
	}
	results := make([]judged, len(found))
	for i, r := range found {
		results[i] = judged{s.Name, r}
	}
	return results, nil
}

// contract is what the flags say, and the locks with --as.
func (v *verifyFlags) contract(p v1.Platform) (c verify.Contract, err error) {
	if v.as != "" {
		if c, err = locked(v.as, p); err != nil {
			return c, err
		}
	}
	c.Waivers, c.Only, c.Except = v.waivers, v.only, v.except
	c.Dev = c.Dev || v.dev
	return c, nil
}

// locked is the contract of this library's own image of that name.
func locked(name string, p v1.Platform) (verify.Contract, error) {
	found, err := findImages([]string{name})
	if err != nil {
		return verify.Contract{}, err
	}
	target, err := lucidbase.ParsePlatform(p.OS + "/" + p.Architecture)
	if err != nil {
		return verify.Contract{}, fmt.Errorf("%s: %w", name, err)
	}
	g, err := found[0].spec(variants.Options{}).Graph(lucidbase.Platforms{Target: target, Build: target})
	return g.Contract, err
}
