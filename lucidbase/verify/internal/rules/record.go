package rules

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var recordRule = Rule{
	Name:    "record",
	Summary: "each dist-info has its RECORD; the files in it are there with true hashes, no other module is in its packages, and nothing that no RECORD lists runs whenever Python starts",
	Why:     "the distribution is not what was published: damaged, changed or mixed with another; or nobody can tell",
	Fix:     "install it again in an empty directory, and change no installed file",
	Check:   checkRecord,
}

func checkRecord(im *overlay.Image) []overlay.Hit {
	r := im.Records()
	var hits []overlay.Hit
	for _, d := range r.Infos {
		if d.OtherManager() {
			continue
		}
		switch {
		case d.Metadata == nil:
			hits = append(hits, overlay.Hit{Path: d.At + "/METADATA", Layer: d.Any.Layer, Found: "not in the image: Python takes " + path.Base(d.At) + " for no distribution", Fix: fixMissing})
		case d.Metadata.Content().Problem != "":
			hits = append(hits, d.Metadata.Hit(d.Metadata.Content().Problem))
		}
		switch {
		case d.Record != nil:
			hits = append(hits, record(im, d)...)
		case d.Metadata != nil:
			hits = append(hits, overlay.Hit{Path: d.At + "/RECORD", Layer: d.Metadata.Layer, Found: "not in the image: nobody can tell whether the files of " + d.String() + " are whole", Fix: fixNoRecord})
		}
	}
	unknown := unknownSites(im, r)
	return slices.Concat(hits, unlisted(im, r, unknown), hooks(im, r, unknown))
}

// unlisted finds modules that were put into a distribution's package: no RECORD of
// the directory lists them. A package without an __init__.py is shared by whoever
// wants to, and where something without a RECORD is installed nothing is known.
func unlisted(im *overlay.Image, r *overlay.Records, unknown map[string]bool) []overlay.Hit {
	packages := map[string]*overlay.DistInfo{} // regular packages by path
	for at, d := range r.Owner {
		if rest, ok := strings.CutPrefix(at, d.Site+"/"); ok && strings.Count(rest, "/") == 1 && path.Base(at) == "__init__.py" {
			packages[path.Dir(at)] = d
		}
	}
	byOwner := map[string][]overlay.Hit{}
	im.Visible(func(e *overlay.Entry) {
		if ext := path.Ext(e.At); ext != ".py" && ext != ".so" || r.Owner[e.At] != nil || e.Content().Kind != scan.Regular {
			return
		}
		if d := ownerOf(e.At, packages); d != nil && !unknown[d.Site] {
			byOwner[d.String()] = append(byOwner[d.String()], e.Hit("a module in the package of "+d.String()+", whose RECORD does not list it").FixedBy(fixPlanted))
		}
	})
	return overlay.SumUp(slices.Sorted(maps.Keys(byOwner)), byOwner, func(owner string, files int, example string) string {
		return fmt.Sprintf("%s in the package of %s that its RECORD does not list, such as %s", overlay.Number(files, "module"), owner, example)
	})
}

func ownerOf(at string, packages map[string]*overlay.DistInfo) *overlay.DistInfo {
	for dir := path.Dir(at); dir != "/"; dir = path.Dir(dir) {
		if d := packages[dir]; d != nil {
			return d
		}
	}
	return nil
}

// unknownSites are the directories with something that has no RECORD.
func unknownSites(im *overlay.Image, r *overlay.Records) map[string]bool {
	unknown := map[string]bool{}
	for _, d := range r.Infos {
		if d.Record == nil || d.Record.Content().Problem != "" || d.OtherManager() {
			unknown[d.Site] = true
		}
	}
	for dir, installed := range im.Sites().Distributions {
		for _, i := range installed {
			unknown[dir] = unknown[dir] || strings.HasSuffix(i.Info, ".egg-info")
		}
	}
	return unknown
}
