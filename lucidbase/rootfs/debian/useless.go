package debian

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"io"
	"maps"
	"path"
	"regexp"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// linked are the directories from which programs are started and libraries loaded by
// name: what cannot be loaded there is for the contract to say.
var linked = regexp.MustCompile(`^(usr/)?(s?bin|lib(64)?(/[^/]+-linux-gnu)?)$`)

// useless finds the files of a layer that can never be used on a base, and says why:
// plugins whose libraries nothing brings, as Debian only suggests them, and links to a
// file of a package that nothing needs.
func useless(t, base tree.Tree) map[string]string {
	whole := maps.Clone(base)
	maps.Copy(whole, t)
	libraries := map[string]bool{}
	for name := range whole {
		libraries[path.Base(name)] = true
	}
	all := map[string]string{}
	for name, e := range t {
		switch {
		case e.Kind == tar.TypeSymlink && leadsNowhere(whole, name):
			all["/"+name] = "it is a link to " + e.Target + ", which nothing brings"
		case e.Kind == tar.TypeReg && !linked.MatchString(path.Dir(name)):
			for _, needed := range needs(e.Content) {
				if !libraries[needed] {
					all["/"+name] = "it needs " + needed + ", which nothing brings"
				}
			}
		}
	}
	return all
}

// leadsNowhere reports whether a link leads to nothing, and to no place where a running
// system has files.
func leadsNowhere(t tree.Tree, name string) bool {
	at, _, err := t.Walk(name)
	if err != nil {
		return errors.Is(err, tree.ErrNowhere)
	}
	return at != "" && t[at] == nil && !elsewhere.MatchString(at) && !elsewhere.MatchString(name)
}

// elsewhere are places of a running system, and of what is there to be read, which the
// contract leaves alone, too.
var elsewhere = regexp.MustCompile(`^(dev|proc|sys|run|tmp|var/(run|lock|tmp)|usr/share/(doc|man|info|locale|gtk-doc|help))(/|$)`)

// needs are the libraries that an ELF file names.
func needs(c *tree.Content) []string {
	r, ok := c.Reader().(io.ReaderAt)
	if !ok {
		return nil
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return nil // not one of this kind
	}
	names, _ := f.ImportedLibraries() // what is damaged is for the contract to say
	return names
}
