package deb

import (
	"archive/tar"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

const statusDir = "var/lib/dpkg/status.d/"

// Status returns the files from which scanners know that a package is installed:
// its stanza, and the sums of those of its files that are in the tree.
func (d File) Status(t tree.Tree) []*tree.Entry {
	out := []*tree.Entry{tree.File(statusDir+d.Name, strings.TrimRight(string(d.Control), "\n")+"\n")}
	var sums strings.Builder
	for line := range strings.Lines(string(d.MD5Sums)) {
		_, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if e := t[Reroot(path.Clean(name))]; ok && e != nil && e.Kind == tar.TypeReg {
			sums.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	if sums.Len() > 0 {
		out = append(out, tree.File(statusDir+d.Name+".md5sums", sums.String()))
	}
	return out
}
