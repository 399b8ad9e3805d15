package resolve

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Changes says what differs between two sets of locks, a line for each package
// and version, such as "debian libssl3 3.0.17-1 -> 3.0.22-1" or "python aiohttp
// added 3.12.1". A change of some platforms or tiers alone names them. There is
// no line exactly when both sets' files are the same; old may be nil.
func Changes(old, now *lock.Set) []string {
	if old == nil {
		old = &lock.Set{}
	}
	lines := debianChanges(old.Debian, now.Debian)
	if len(lines) == 0 { // else the twins' layers lie on another one
		lines = append(lines, SystemChanges(old.Dev, now.Dev)...)
	}
	lines = append(lines, packagesChanges(old.Python, now.Python)...)
	lines = append(lines, imageChanges(old.Alpine, now.Alpine)...)
	lines = append(lines, tools(old.Tools).diff("tool", tools(now.Tools))...)
	if len(lines) > 0 {
		return lines
	}
	return formChanges(old.Files(), now.Files())
}

// formChanges names the files that differ where nothing that they mean does.
func formChanges(old, now map[string][]byte) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if !bytes.Equal(old[name], now[name]) {
			lines = append(lines, name+": another form of the same content")
		}
	}
	return lines
}

func debianChanges(old, now lock.Debian) []string {
	lines := suiteChanges(old.Suites, now.Suites)
	packages := debianPackages(old).diff("debian", debianPackages(now))
	if len(packages) > 0 {
		return append(lines, packages...)
	}
	// Other packages make other layers; say so only where it is news.
	return append(lines, debianLayers(old).diff("debian", debianLayers(now))...)
}

func suiteChanges(old, now []lock.Suite) []string {
	before, after := table{}, table{}
	for _, s := range old {
		before.add("suite "+s.Name, "", suiteItem(s))
	}
	for _, s := range now {
		after.add("suite "+s.Name, "", suiteItem(s))
	}
	return before.diff("debian", after)
}

func suiteItem(s lock.Suite) item {
	return item{version: s.Date.UTC().Format(time.RFC3339), content: s.Archive + " " + s.Key, what: "signed with another key"}
}

func debianPackages(d lock.Debian) table {
	t := table{}
	for platform, p := range d.Platforms {
		for _, pkg := range slices.Concat(p.Rootfs.Packages, p.Builder.Packages, p.Headers.Packages) {
			t.add(pkg.Name, platform, item{version: pkg.Version, content: fmt.Sprint(pkg), what: "another file of the same version"})
		}
	}
	return t
}

func debianLayers(d lock.Debian) table {
	t := table{}
	for platform, p := range d.Platforms {
		t.add("rootfs layer", platform, layerItem(p.Rootfs))
		t.add("builder layer", platform, layerItem(p.Builder))
		t.add("headers layer", platform, layerItem(p.Headers))
	}
	return t
}

func layerItem(l lock.Layer) item {
	return item{content: fmt.Sprint(l.Digest, l.Size), what: "made otherwise from the same packages"}
}

func tools(locked lock.Tools) table {
	t := table{}
	for name, tool := range map[string]lock.Tool{"uv": locked.UV, "ziglang": locked.Zig} {
		if tool.Version != "" {
			t.add(name, "", item{version: tool.Version, content: fmt.Sprint(tool.SHA256), what: "other hashes of the same version"})
		}
	}
	return t
}

// table holds what locks have by name and by the group in which it is: a
// platform or a tier.
type table map[string]map[string]item

// item is one version of something.
type item struct {
	version string
	content string // all that is locked of it
	what    string // to say when content alone differs
	reason  string // to say after what is new
}

func (t table) add(name, group string, i item) {
	if t[name] == nil {
		t[name] = map[string]item{}
	}
	t[name][group] = i
}

// diff returns a line for each name and change, sorted by name. The groups are
// named unless the change is that of all groups that have the name.
func (t table) diff(kind string, now table) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(union(t, now))) {
		groups := slices.Sorted(maps.Keys(union(t[name], now[name])))
		changes := map[string][]string{}
		for _, group := range groups {
			if c := change(t[name], now[name], group); c != "" {
				changes[c] = append(changes[c], group)
			}
		}
		for _, c := range slices.Sorted(maps.Keys(changes)) {
			line := kind + " " + name + " " + c
			if len(changes[c]) < len(groups) {
				line += " (" + strings.Join(changes[c], ", ") + ")"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// change says how a group's item differs, or nothing.
func change(old, now map[string]item, group string) string {
	a, had := old[group]
	b, has := now[group]
	switch {
	case !had:
		return strings.TrimSpace("added "+b.version) + b.reason
	case !has:
		return strings.TrimSpace("removed " + a.version)
	case a.version != b.version:
		return a.version + " -> " + b.version + b.reason
	case a.content != b.content:
		return strings.TrimPrefix(b.version+": "+b.what, ": ")
	}
	return ""
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return all
}
