package debian

import (
	"archive/tar"
	"bufio"
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// peerData is where a peer is started, and may write.
const peerData = "data"

// finishPeer adds what a server needs that is started as the images' user, and that no
// package's script has prepared anything for.
func finishPeer(t tree.Tree, debs []deb.File) error {
	if err := finish(t); err != nil {
		return err
	}
	made, err := temporary(t)
	if err != nil {
		return err
	}
	for _, name := range append(made, peerData, "run", "var") {
		if t[name] != nil {
			continue
		}
		if err := t.Add(&tree.Entry{Name: name, From: tree.Us, Kind: tar.TypeDir, Mode: 0o755}); err != nil {
			return err
		}
	}
	for name, e := range t {
		if top, _, _ := strings.Cut(name, "/"); top == peerData || top == "run" || top == "var" {
			e.UID, e.GID = tree.Nonroot, tree.Nonroot
		}
	}
	return addStatus(t, debs)
}

// temporary returns the directories below /run and /var that a system makes when it
// starts (tmpfiles.d(5)): for sockets and process numbers.
func temporary(t tree.Tree) (names []string, err error) {
	for _, file := range t.Names() {
		e := t[file]
		if path.Dir(file) != "usr/lib/tmpfiles.d" || e.Kind != tar.TypeReg {
			continue
		}
		lines := bufio.NewScanner(e.Content.Reader())
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 2 || strings.TrimRight(fields[0], "!-+=~^$") != "d" {
				continue
			}
			name := path.Join("/", fields[1])
			name = "/" + deb.Reroot(strings.TrimPrefix(name, "/"))
			if strings.HasPrefix(name, "/run/") || strings.HasPrefix(name, "/var/") {
				names = append(names, strings.TrimPrefix(name, "/"))
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("package %s: entry %s: %w", e.From, file, err)
		}
	}
	return names, nil
}
