package overlay

import (
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Records is what the RECORD files of an image list.
type Records struct {
	Infos []*DistInfo
	// Owner is the first distribution that lists a path; shared are those that
	// another lists too.
	Owner  map[string]*DistInfo
	shared map[string]bool
	// claimed and collisions are nil until they were asked for.
	claimed    map[string][]Claim
	collisions map[string]*Collision
}

// DistInfo is a *.dist-info that Python finds.
type DistInfo struct {
	// At is its path, site the directory that it is in.
	At, Site string
	// Any is one of its files; the others are nil where they are not there.
	Any, Metadata, Record *Entry
	installer             string
}

// String returns the distribution's name and version as its directory has them.
func (d *DistInfo) String() string { return strings.TrimSuffix(path.Base(d.At), ".dist-info") }

// Records returns the image's records, made on first use. A dist-info inside
// another distribution (setuptools/_vendor) is that one's file.
func (im *Image) Records() *Records {
	if im.works.records != nil {
		return im.works.records
	}
	r := &Records{Owner: map[string]*DistInfo{}, shared: map[string]bool{}}
	im.works.records = r
	byDir := map[string]*DistInfo{}
	im.Visible(func(e *Entry) {
		if e.Content().Kind != scan.Regular {
			return
		}
		dir, base := path.Split(e.At)
		dir = strings.TrimSuffix(dir, "/")
		if !strings.HasSuffix(dir, ".dist-info") {
			return
		}
		d := byDir[dir]
		if d == nil {
			d = &DistInfo{At: dir, Site: path.Dir(dir), Any: e}
			byDir[dir] = d
			if !IsCarried(d.Site) {
				r.Infos = append(r.Infos, d)
			}
		}
		switch base {
		case "METADATA":
			d.Metadata = e
		case "RECORD":
			d.Record = e
		case "INSTALLER":
			d.installer = strings.TrimSpace(e.Content().Text)
		}
	})
	for _, d := range r.Infos {
		if d.Record == nil {
			continue
		}
		for _, line := range d.Record.Content().Record {
			if at, ok := d.Place(line.Path); ok && r.Owner[at] == nil {
				r.Owner[at] = d
			} else if ok && r.Owner[at] != d {
				r.shared[at] = true
			}
		}
	}
	return r
}

// IsCarried reports whether a directory is inside a package of site-packages.
func IsCarried(site string) bool {
	return strings.Contains(site, "/site-packages/") || strings.Contains(site, "/dist-packages/")
}

// Place returns the path of a RECORD's line; ok is false where it leads out of the
// root.
func (d *DistInfo) Place(p string) (string, bool) {
	if path.IsAbs(p) {
		return path.Clean(p), true
	}
	if !strings.HasPrefix(p, ".") && !strings.Contains(p, "/.") && !strings.Contains(p, "//") {
		return d.Site + "/" + p, true
	}
	relative := path.Join(strings.TrimPrefix(d.Site, "/"), p)
	return "/" + relative, relative != ".." && !strings.HasPrefix(relative, "../")
}

// OtherManager reports whether a system's package manager installed it. That keeps its own
// list of files: Debian and Fedora take RECORD away, or change files after it was
// written.
func (d *DistInfo) OtherManager() bool {
	switch strings.ToLower(d.installer) {
	case "":
		return IsDebians(d.Site)
	case "pip", "uv", "poetry", "pdm", "installer":
		return false
	}
	return true
}

// IsDebians reports whether dpkg's packages alone are installed in a directory.
func IsDebians(site string) bool {
	return path.Base(site) == "dist-packages" && strings.HasPrefix(site, "/usr/lib/python")
}
