// Package overlay lays the layers of an image over each other, as a container runtime
// does, and answers what several rules ask of the result: where a path leads, who the
// user is, which program a name starts, what Python imports and the loader loads. An
// answer is found once and remembered.
package overlay

import (
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Image is an image's layers laid over each other.
type Image struct {
	Config *v1.ConfigFile
	// Manifest is nil where only the config is known.
	Manifest *v1.Manifest
	// Index is what is wrong with the index about this image.
	Index  []Hit
	Layers []scan.Facts
	Want   Want
	// Root is what a container sees.
	Root *Node
	// Entries are all files of all layers, in order; those that a container does
	// not see are in the image all the same.
	Entries []*Entry
	// last is where the entries of a directory go; they mostly come together.
	last place
	// works is what was found out once for several rules.
	works works
	// dirs are those of PATH, volumes the declared ones, once they were asked for.
	dirs    []string
	volumes map[string]bool
	// tools are those of each kind, once a rule has asked for them.
	tools map[*Tool]Tools
}

// Want is what an image has to be; the zero value leaves all of it open.
type Want struct {
	// Platform that it is for.
	Platform v1.Platform
	// Layers are the diff IDs of its first layers, in order.
	Layers []v1.Hash
	// Packages and Distributions are its system's packages and its Python
	// distributions: versions by name (by that of PEP 503). When not nil, there must
	// be these and no others.
	Packages, Distributions map[string]string
	// Labels that it has, among others.
	Labels map[string]string
	// Dev reports whether it is a twin for build stages and debugging.
	Dev bool
}

// place is a directory as a layer names it, and where that leads.
type place struct {
	dir, at string
	node    *Node
}

// Node is a path that a container sees. A directory need not have an entry.
type Node struct {
	Entry    *Entry
	Children map[string]*Node
}

// Entry is a file of a layer at the place where it ends up.
type Entry struct {
	*scan.File
	// At is where the file lands: what a layer has in /lib lands in /usr/lib when
	// /lib is a link of a lower layer.
	At    string
	Layer int
	// HiddenBy is the layer that deletes or replaces the file, -1 for none; Deleted
	// reports which of the two.
	HiddenBy int
	Deleted  bool
	// Target is a hard link's file; nil for others and for one that leads nowhere.
	Target *Entry
}

// Content is the entry that has the file's content: a hard link's target.
func (e *Entry) Content() *scan.File {
	if e.Target != nil {
		return e.Target.File
	}
	return e.File
}

// Hit makes a finding about a file; one that a container does not see says so.
func (e *Entry) Hit(found string) Hit {
	switch {
	case e.HiddenBy >= 0 && e.Deleted:
		found += "; a later layer deletes it, but it is still in the image"
	case e.HiddenBy >= 0:
		found += "; a later entry replaces it, but it is still in the image"
	}
	return Hit{Path: e.Path, Layer: e.Layer, Found: found}
}

// New lays the layers over each other as a container runtime does.
func New(config *v1.ConfigFile, layers []scan.Facts, want Want) *Image {
	im := &Image{Config: config, Layers: layers, Want: want, Root: &Node{}}
	for i := range layers {
		im.add(i)
	}
	return im
}

func (im *Image) add(layer int) {
	im.last = place{}
	files := im.Layers[layer].Files
	// Whiteouts speak of lower layers alone, wherever they stand in the tar.
	for i := range files {
		switch f := &files[i]; f.Kind {
		case scan.Whiteout:
			dir, name := path.Split(im.Place(f.Path))
			if parent := im.Walk(dir); parent != nil && parent.Children[name] != nil {
				parent.Children[name].hide(layer, true)
				delete(parent.Children, name)
			}
		case scan.Opaque:
			if n := im.Walk(im.Place(f.Path)); n != nil {
				for _, child := range n.Children {
					child.hide(layer, true)
				}
				n.Children = nil
			}
		}
	}
	for i := range files {
		if f := &files[i]; f.Kind != scan.Whiteout && f.Kind != scan.Opaque {
			im.put(f, layer)
		}
	}
}

func (im *Image) put(f *scan.File, layer int) {
	dir, name := path.Split(f.Path)
	if dir != im.last.dir {
		at, _ := im.Follow(dir)
		im.last = place{dir, at, im.grow(at)}
	}
	e := &Entry{File: f, At: "/", Layer: layer, HiddenBy: -1}
	n := im.Root
	if name != "" {
		e.At = path.Join(im.last.at, name)
		n = im.last.node.child(name)
	}
	if f.Kind == scan.Hardlink {
		if t := im.Walk(im.Place(f.Link)); t != nil && t.Entry != nil {
			e.Target = t.Entry
			if t.Entry.Target != nil {
				e.Target = t.Entry.Target
			}
		}
	}
	if f.Kind == scan.Directory && (n.Entry == nil || n.Entry.Kind == scan.Directory) {
		if n.Entry != nil {
			n.Entry.HiddenBy = layer
		}
	} else {
		// What was a link or a directory leads elsewhere from here on.
		if n.Entry != nil || n.Children != nil || f.Kind == scan.Symlink {
			im.last = place{}
		}
		for _, child := range n.Children {
			child.hide(layer, true) // of a directory that is none any more
		}
		n.Children = nil
		n.hide(layer, false)
	}
	n.Entry = e
	im.Entries = append(im.Entries, e)
}

// grow returns the node of a path whose links were followed, made where needed.
func (im *Image) grow(at string) *Node {
	n := im.Root
	for name := range strings.SplitSeq(at, "/") {
		if name != "" {
			n = n.child(name)
		}
	}
	return n
}

// child returns the node below n, made where needed.
func (n *Node) child(name string) *Node {
	c := n.Children[name]
	if c == nil {
		if n.Children == nil {
			n.Children = map[string]*Node{}
		}
		c = &Node{}
		n.Children[name] = c
	}
	return c
}

// hide marks everything at and below a node.
func (n *Node) hide(layer int, deleted bool) {
	if n.Entry != nil {
		n.Entry.HiddenBy, n.Entry.Deleted = layer, deleted
	}
	for _, child := range n.Children {
		child.hide(layer, deleted)
	}
}

// Walk returns the node of a path whose links were followed already; nil for none.
func (im *Image) Walk(p string) *Node {
	n := im.Root
	for name := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
		if name == "" {
			continue
		}
		if n = n.Children[name]; n == nil {
			return nil
		}
	}
	return n
}

// maxLinks is how many links the kernel follows (path_resolution(7)).
const maxLinks = 40

// Place follows links in a path's directories, not its last element.
func (im *Image) Place(p string) string {
	dir, base := path.Split(path.Clean("/" + p))
	if base == "" {
		return "/"
	}
	at, _ := im.Follow(dir)
	return path.Join(at, base)
}

// Follow resolves every link in a path as the kernel does with the image as its root: a
// link that leads above the root stays there. Where something is missing the rest of
// the path is kept; n is nil then, as it is for links that go round.
func (im *Image) Follow(p string) (at string, n *Node) {
	nodes, names := []*Node{im.Root}, []string{"/"}
	todo := strings.Split(path.Clean("/"+p), "/")
	links := 0
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		top := nodes[len(nodes)-1]
		switch name {
		case "", ".":
			continue
		case "..":
			up := max(1, len(nodes)-1)
			nodes, names = nodes[:up], names[:up]
			continue
		}
		var next *Node
		if top != nil {
			next = top.Children[name]
		}
		if next == nil || next.Entry == nil || next.Entry.Kind != scan.Symlink {
			nodes, names = append(nodes, next), append(names, name)
			continue
		}
		if links++; links > maxLinks {
			return path.Join(append(append(names, name), todo...)...), nil
		}
		if strings.HasPrefix(next.Entry.Link, "/") {
			nodes, names = nodes[:1], names[:1]
		}
		todo = append(strings.Split(next.Entry.Link, "/"), todo...)
	}
	return path.Join(names...), nodes[len(nodes)-1]
}

// Exists reports whether a path leads to something, links followed.
func (im *Image) Exists(p string) bool {
	_, n := im.Follow(p)
	return n != nil
}

// Stat returns the entry that a path leads to, links followed; nil for nothing,
// and for a directory that no layer has an entry for.
func (im *Image) Stat(p string) *Entry {
	if _, n := im.Follow(p); n != nil {
		return n.Entry
	}
	return nil
}

// Visible calls f for each file that a container sees, in the layers' order.
func (im *Image) Visible(f func(*Entry)) {
	for _, e := range im.Entries {
		if e.HiddenBy < 0 {
			f(e)
		}
	}
}

// The rules of this file judge what a container sees: the mode of a file that a
// later layer replaces is no longer in force, and one that is deleted is the rule
// deleted's.

// UnpackedMode has the bits of a hard link's own header too: Docker and containerd set
// them on the file when they unpack the link.
func (e *Entry) UnpackedMode() uint32 {
	if e.Target != nil {
		return e.Mode | e.Target.Mode
	}
	return e.Mode
}
