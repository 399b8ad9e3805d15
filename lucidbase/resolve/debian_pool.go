package resolve

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"pault.ag/go/debian/version"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// pool is all that suites have for one architecture. An index has 60000 packages in
// 50 MB, hence one is parsed when it is asked for.
type pool struct {
	arch   string
	suites []lock.Suite
	// stanzas are those of a name, and those that provide it.
	stanzas   map[string][]described
	essential []string
	parsed    map[string][]candidate
	every     map[string][]candidate
}

// described is a package as an index describes it, and the archive of the index.
type described struct {
	archive string
	text    []byte
}

// fetchPool reads every suite's whole index.
func (r debianResolver) fetchPool(ctx context.Context, arch string) (*pool, error) {
	p := &pool{arch: arch, suites: make([]lock.Suite, len(r.in.Suites)), stanzas: map[string][]described{}, parsed: map[string][]candidate{}, every: map[string][]candidate{}}
	texts := make([][]byte, len(r.in.Suites))
	eg, ctx := errgroup.WithContext(ctx)
	for i, suite := range r.in.Suites {
		eg.Go(func() error {
			rel, err := r.fetchRelease(ctx, suite)
			if err != nil {
				return err
			}
			p.suites[i] = rel.suite
			texts[i], err = r.fetchText(ctx, rel, arch)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	for i, text := range texts {
		if err := p.add(r.in.Suites[i].Archive, text); err != nil {
			return nil, fmt.Errorf("suite %s: %w", r.in.Suites[i].Name, err)
		}
	}
	return p, nil
}

func (r debianResolver) fetchText(ctx context.Context, rel release, arch string) ([]byte, error) {
	index, err := r.openIndex(ctx, rel, arch)
	if err == nil {
		var text []byte
		if text, err = io.ReadAll(index); err == nil {
			return text, nil
		}
	}
	return nil, fmt.Errorf("archive %s: suite %s: %w", rel.suite.Archive, rel.suite.Name, err)
}

// add files an index's stanzas by name, without a copy of their text.
func (p *pool) add(archive string, text []byte) error {
	for len(text) > 0 {
		n, one, err := splitStanza(text, true)
		if err != nil {
			return err
		}
		text = text[n:]
		s := described{archive, one}
		name := string(stanzaName(one))
		p.stanzas[name] = append(p.stanzas[name], s)
		if stanzaField(one, "Essential") == "yes" && !slices.Contains(p.essential, name) {
			p.essential = append(p.essential, name)
		}
		for provided := range strings.SplitSeq(stanzaField(one, "Provides"), ",") {
			provided, _, _ = strings.Cut(strings.TrimSpace(provided), " ")
			if provided != "" && provided != name {
				p.stanzas[provided] = append(p.stanzas[provided], s)
			}
		}
	}
	return nil
}

// stanzaField is the first line of a field.
func stanzaField(stanza []byte, name string) string {
	_, rest, _ := bytes.Cut(stanza, []byte("\n"+name+":"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// named returns the packages of a name and those that provide it, the newest of each:
// the one of the name first, then those that Debian thinks more of.
func (p *pool) named(name string) ([]candidate, error) {
	if found, ok := p.parsed[name]; ok {
		return found, nil
	}
	var all []candidate
	for _, s := range p.stanzas[name] {
		c, err := readStanza(s.text, p.arch)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", stanzaName(s.text), err)
		}
		c.Archive = s.archive
		all = append(all, c)
	}
	var found []candidate
	for _, c := range newestOf(all) {
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(boolRank(a.Name != name), boolRank(b.Name != name)),
			cmp.Compare(p.priority(a.Name), p.priority(b.Name)),
			strings.Compare(a.Name, b.Name))
	})
	p.parsed[name] = found
	return found, nil
}

// versions returns what there is of a package, the newest first; of equal ones that of
// the first suite.
func (p *pool) versions(name string) ([]candidate, error) {
	if found, ok := p.every[name]; ok {
		return slices.Clone(found), nil
	}
	var all []candidate
	for _, s := range p.stanzas[name] {
		if string(stanzaName(s.text)) != name {
			continue
		}
		c, err := readStanza(s.text, p.arch)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", name, err)
		}
		c.Archive = s.archive
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return version.Compare(b.version, a.version) })
	p.every[name] = all
	return slices.Clone(all), nil
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// priorities are those of Debian policy, section 2.5.
var priorities = []string{"required", "important", "standard", "optional"}

func (p *pool) priority(name string) int {
	for _, s := range p.stanzas[name] {
		if string(stanzaName(s.text)) == name {
			if i := slices.Index(priorities, stanzaField(s.text, "Priority")); i >= 0 {
				return i
			}
		}
	}
	return len(priorities)
}
