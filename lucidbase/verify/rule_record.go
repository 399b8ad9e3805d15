package verify

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// records is what the RECORD files of an image list.
type records struct {
	infos []*distInfo
	// owner is the first distribution that lists a path; shared are those that
	// another lists too.
	owner  map[string]*distInfo
	shared map[string]bool
	// claimed and collisions are nil until they were asked for.
	claimed    map[string][]claim
	collisions map[string]*collision
}

// distInfo is a *.dist-info that Python finds.
type distInfo struct {
	// at is its path, site the directory that it is in.
	at, site string
	// any is one of its files; the others are nil where they are not there.
	any, metadata, record *entry
	installer             string
}

func (d *distInfo) String() string { return strings.TrimSuffix(path.Base(d.at), ".dist-info") }

// recorded gives the image's records, made on first use. A dist-info inside
// another distribution (setuptools/_vendor) is that one's file.
func (im *image) recorded() *records {
	if im.works.records != nil {
		return im.works.records
	}
	r := &records{owner: map[string]*distInfo{}, shared: map[string]bool{}}
	im.works.records = r
	byDir := map[string]*distInfo{}
	im.visible(func(e *entry) {
		if e.content().Kind != Regular {
			return
		}
		dir, base := path.Split(e.at)
		dir = strings.TrimSuffix(dir, "/")
		if !strings.HasSuffix(dir, ".dist-info") {
			return
		}
		d := byDir[dir]
		if d == nil {
			d = &distInfo{at: dir, site: path.Dir(dir), any: e}
			byDir[dir] = d
			if !isCarried(d.site) {
				r.infos = append(r.infos, d)
			}
		}
		switch base {
		case "METADATA":
			d.metadata = e
		case "RECORD":
			d.record = e
		case "INSTALLER":
			d.installer = strings.TrimSpace(e.content().Text)
		}
	})
	for _, d := range r.infos {
		if d.record == nil {
			continue
		}
		for _, line := range d.record.content().Record {
			if at, ok := d.place(line.Path); ok && r.owner[at] == nil {
				r.owner[at] = d
			} else if ok && r.owner[at] != d {
				r.shared[at] = true
			}
		}
	}
	return r
}

// isCarried tells a directory inside a package of site-packages.
func isCarried(site string) bool {
	return strings.Contains(site, "/site-packages/") || strings.Contains(site, "/dist-packages/")
}

// place gives the path of a RECORD's line; ok is false where it leads out of the
// root.
func (d *distInfo) place(p string) (string, bool) {
	if path.IsAbs(p) {
		return path.Clean(p), true
	}
	if !strings.HasPrefix(p, ".") && !strings.Contains(p, "/.") && !strings.Contains(p, "//") {
		return d.site + "/" + p, true
	}
	relative := path.Join(strings.TrimPrefix(d.site, "/"), p)
	return "/" + relative, relative != ".." && !strings.HasPrefix(relative, "../")
}

func checkRecord(im *image) []hit {
	r := im.recorded()
	var hits []hit
	for _, d := range r.infos {
		if d.otherManager() {
			continue
		}
		switch {
		case d.metadata == nil:
			hits = append(hits, hit{path: d.at + "/METADATA", layer: d.any.layer, found: "not in the image: Python takes " + path.Base(d.at) + " for no distribution", fix: fixMissing})
		case d.metadata.content().Problem != "":
			hits = append(hits, d.metadata.hit(d.metadata.content().Problem))
		}
		switch {
		case d.record != nil:
			hits = append(hits, im.record(d)...)
		case d.metadata != nil:
			hits = append(hits, hit{path: d.at + "/RECORD", layer: d.metadata.layer, found: "not in the image: nobody can tell whether the files of " + d.String() + " are whole", fix: fixNoRecord})
		}
	}
	unknown := im.unknownSites(r)
	return slices.Concat(hits, im.unlisted(r, unknown), im.hooks(r, unknown))
}

// otherManager tells what a system's package manager installed. It keeps its own
// list of files: Debian and Fedora take RECORD away, or change files after it was
// written.
func (d *distInfo) otherManager() bool {
	switch strings.ToLower(d.installer) {
	case "":
		return isDebians(d.site)
	case "pip", "uv", "poetry", "pdm", "installer":
		return false
	}
	return true
}

// isDebians tells a directory that dpkg's packages alone are installed in.
func isDebians(site string) bool {
	return path.Base(site) == "dist-packages" && strings.HasPrefix(site, "/usr/lib/python")
}

// unlisted finds modules that were put into a distribution's package: no RECORD of
// the directory lists them. A package without an __init__.py is shared by whoever
// wants to, and where something without a RECORD is installed nobody can tell.
func (im *image) unlisted(r *records, unknown map[string]bool) []hit {
	packages := map[string]*distInfo{} // regular packages by path
	for at, d := range r.owner {
		if rest, ok := strings.CutPrefix(at, d.site+"/"); ok && strings.Count(rest, "/") == 1 && path.Base(at) == "__init__.py" {
			packages[path.Dir(at)] = d
		}
	}
	byOwner := map[string][]hit{}
	im.visible(func(e *entry) {
		if ext := path.Ext(e.at); ext != ".py" && ext != ".so" || r.owner[e.at] != nil || e.content().Kind != Regular {
			return
		}
		if d := ownerOf(e.at, packages); d != nil && !unknown[d.site] {
			byOwner[d.String()] = append(byOwner[d.String()], e.hit("a module in the package of "+d.String()+", whose RECORD does not list it").fixedBy(fixPlanted))
		}
	})
	return sumUp(slices.Sorted(maps.Keys(byOwner)), byOwner, func(owner string, files int, example string) string {
		return fmt.Sprintf("%s in the package of %s that its RECORD does not list, such as %s", about(files, "module"), owner, example)
	})
}

func ownerOf(at string, packages map[string]*distInfo) *distInfo {
	for dir := path.Dir(at); dir != "/"; dir = path.Dir(dir) {
		if d := packages[dir]; d != nil {
			return d
		}
	}
	return nil
}

// unknownSites are the directories with something that has no RECORD.
func (im *image) unknownSites(r *records) map[string]bool {
	unknown := map[string]bool{}
	for _, d := range r.infos {
		if d.record == nil || d.record.content().Problem != "" || d.otherManager() {
			unknown[d.site] = true
		}
	}
	for dir, installed := range im.python().distributions {
		for _, i := range installed {
			unknown[dir] = unknown[dir] || strings.HasSuffix(i.info, ".egg-info")
		}
	}
	return unknown
}
