package verify

import (
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// image is an image's layers laid over each other.
type image struct {
	config *v1.ConfigFile
	// manifest is nil where only the config is known.
	manifest *v1.Manifest
	// index is what is wrong with the index about this image.
	index  []hit
	layers []Facts
	want   Want
	// root is what a container sees.
	root *node
	// entries are all files of all layers, in order; those that a container does
	// not see are in the image all the same.
	entries []*entry
	// last is where the entries of a directory go; they mostly come together.
	last place
	// works is what the rules of that group share.
	works works
	// dirs are those of PATH, volumes the declared ones, once they were asked for.
	dirs    []string
	volumes map[string]bool
	// tools are those of each kind, once a rule has asked for them.
	tools map[*tool]tools
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
}

// place is a directory as a layer names it, and where that leads.
type place struct {
	dir, at string
	node    *node
}

// node is a path that a container sees. A directory need not have an entry.
type node struct {
	entry    *entry
	children map[string]*node
}

// entry is a file of a layer at the place where it ends up.
type entry struct {
	*File
	// at is where the file lands: what a layer has in /lib lands in /usr/lib when
	// /lib is a link of a lower layer.
	at    string
	layer int
	// hiddenBy is the layer that deletes or replaces the file, -1 for none; deleted
	// tells which of the two.
	hiddenBy int
	deleted  bool
	// target is a hard link's file; nil for others and for one that leads nowhere.
	target *entry
}

// content is the entry that has the file's content: a hard link's target.
func (e *entry) content() *File {
	if e.target != nil {
		return e.target.File
	}
	return e.File
}

// hit makes a finding about a file; one that a container does not see says so.
func (e *entry) hit(found string) hit {
	switch {
	case e.hiddenBy >= 0 && e.deleted:
		found += "; a later layer deletes it, but it is still in the image"
	case e.hiddenBy >= 0:
		found += "; a later entry replaces it, but it is still in the image"
	}
	return hit{path: e.Path, layer: e.layer, found: found}
}

// overlay lays the layers over each other as a container runtime does.
func overlay(config *v1.ConfigFile, layers []Facts, want Want) *image {
	im := &image{config: config, layers: layers, want: want, root: &node{}}
	for i := range layers {
		im.add(i)
	}
	return im
}

func (im *image) add(layer int) {
	im.last = place{}
	files := im.layers[layer].Files
	// Whiteouts speak of lower layers alone, wherever they stand in the tar.
	for i := range files {
		switch f := &files[i]; f.Kind {
		case Whiteout:
			dir, name := path.Split(im.place(f.Path))
			if parent := im.walk(dir); parent != nil && parent.children[name] != nil {
				parent.children[name].hide(layer, true)
				delete(parent.children, name)
			}
		case Opaque:
			if n := im.walk(im.place(f.Path)); n != nil {
				for _, child := range n.children {
					child.hide(layer, true)
				}
				n.children = nil
			}
		}
	}
	for i := range files {
		if f := &files[i]; f.Kind != Whiteout && f.Kind != Opaque {
			im.put(f, layer)
		}
	}
}

func (im *image) put(f *File, layer int) {
	dir, name := path.Split(f.Path)
	if dir != im.last.dir {
		at, _ := im.follow(dir)
		im.last = place{dir, at, im.grow(at)}
	}
	e := &entry{File: f, at: "/", layer: layer, hiddenBy: -1}
	n := im.root
	if name != "" {
		e.at = path.Join(im.last.at, name)
		n = im.last.node.child(name)
	}
	if f.Kind == Hardlink {
		if t := im.walk(im.place(f.Link)); t != nil && t.entry != nil {
			e.target = t.entry
			if t.entry.target != nil {
				e.target = t.entry.target
			}
		}
	}
	if f.Kind == Directory && (n.entry == nil || n.entry.Kind == Directory) {
		if n.entry != nil {
			n.entry.hiddenBy = layer
		}
	} else {
		// What was a link or a directory leads elsewhere from here on.
		if n.entry != nil || n.children != nil || f.Kind == Symlink {
			im.last = place{}
		}
		for _, child := range n.children {
			child.hide(layer, true) // of a directory that is none any more
		}
		n.children = nil
		n.hide(layer, false)
	}
	n.entry = e
	im.entries = append(im.entries, e)
}

// grow gives the node of a path whose links were followed, made where needed.
func (im *image) grow(at string) *node {
	n := im.root
	for name := range strings.SplitSeq(at, "/") {
		if name != "" {
			n = n.child(name)
		}
	}
	return n
}

// child gives the node below n, made where needed.
func (n *node) child(name string) *node {
	c := n.children[name]
	if c == nil {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		c = &node{}
		n.children[name] = c
	}
	return c
}

// hide marks everything at and below a node.
func (n *node) hide(layer int, deleted bool) {
	if n.entry != nil {
		n.entry.hiddenBy, n.entry.deleted = layer, deleted
	}
	for _, child := range n.children {
		child.hide(layer, deleted)
	}
}

// walk gives the node of a path whose links were followed; nil for none.
func (im *image) walk(p string) *node {
	n := im.root
	for name := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
		if name == "" {
			continue
		}
		if n = n.children[name]; n == nil {
			return nil
		}
	}
	return n
}

// maxLinks is how many links the kernel follows (path_resolution(7)).
const maxLinks = 40

// place follows links in a path's directories, not its last element.
func (im *image) place(p string) string {
	dir, base := path.Split(path.Clean("/" + p))
	if base == "" {
		return "/"
	}
	at, _ := im.follow(dir)
	return path.Join(at, base)
}

// follow resolves every link in a path as the kernel does with the image as its
// root. Where something is missing the rest of the path is kept; n is nil then,
// as it is for links that go round.
func (im *image) follow(p string) (at string, n *node) {
	nodes, names := []*node{im.root}, []string{"/"}
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
		var next *node
		if top != nil {
			next = top.children[name]
		}
		if next == nil || next.entry == nil || next.entry.Kind != Symlink {
			nodes, names = append(nodes, next), append(names, name)
			continue
		}
		if links++; links > maxLinks {
			return path.Join(append(append(names, name), todo...)...), nil
		}
		if strings.HasPrefix(next.entry.Link, "/") {
			nodes, names = nodes[:1], names[:1]
		}
		todo = append(strings.Split(next.entry.Link, "/"), todo...)
	}
	return path.Join(names...), nodes[len(nodes)-1]
}

// exists tells whether a path leads to something, links followed.
func (im *image) exists(p string) bool {
	_, n := im.follow(p)
	return n != nil
}

// stat gives the entry that a path leads to, links followed; nil for nothing,
// and for a directory that no layer has an entry for.
func (im *image) stat(p string) *entry {
	if _, n := im.follow(p); n != nil {
		return n.entry
	}
	return nil
}

// visible calls f for each file that a container sees, in the layers' order.
func (im *image) visible(f func(*entry)) {
	for _, e := range im.entries {
		if e.hiddenBy < 0 {
			f(e)
		}
	}
}
