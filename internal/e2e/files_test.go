package e2e

import (
	"archive/tar"
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// rule names what is wrong with one entry of an image; "" is nothing.
type rule func(files tree, name string, h *tar.Header, arch string) string

var rules = map[string]rule{
	"shell":           shell,
	"package manager": packageManager,
	"special file":    special,
	"writable by all": writable,
	"dangling link":   dangling,
	"architecture":    architecture,
	"owner":           foreignOwner,
}

// testFiles holds every entry of an image against every rule.
func testFiles(t *testing.T, files tree, arch string) {
	require.NotEmpty(t, files.entries)
	require.Empty(t, findings(files, arch))
	require.Empty(t, wrongTimes(files))
	for _, name := range []string{"tmp", "var/tmp"} {
		require.Contains(t, files.entries, name)
		require.EqualValues(t, 0o1777, files.entries[name].Mode&0o7777, name)
	}
}

func findings(files tree, arch string) []string {
	var found []string
	for name, h := range files.entries {
		for title, check := range rules {
			if problem := check(files, name, h, arch); problem != "" {
				found = append(found, fmt.Sprintf("%s: %s: %s", title, name, problem))
			}
		}
	}
	slices.Sort(found)
	return found
}

// wrongTimes looks at each layer's own entries, also those that a higher layer
// replaces: the digest is made of all of them.
func wrongTimes(files tree) []string {
	var found []string
	for i, layer := range files.layers {
		for _, h := range layer {
			if !h.ModTime.Equal(lucidbase.Epoch()) {
				found = append(found, fmt.Sprintf("layer %d: %s: %s", i, h.Name, h.ModTime.UTC()))
			}
		}
	}
	return found
}

var (
	shells = []string{
		"sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish",
		"busybox", "toybox",
	}
	managers = []string{
		"apt", "apt-get", "apt-cache", "dpkg", "dpkg-deb", "apk", "rpm", "yum", "dnf", "microdnf",
		"pip", "pip3", "pip3.11", "uv", "uvx", "easy_install", "conda", "npm",
	}
	// managersInPython are what those are in site-packages or as wheels.
	managersInPython = []string{"pip", "setuptools", "pkg_resources", "ensurepip", "uv", "python-wheels"}
)

func shell(files tree, name string, h *tar.Header, _ string) string {
	if h.Typeflag == tar.TypeDir {
		return ""
	}
	if slices.Contains(shells, path.Base(name)) {
		return "a shell by its name"
	}
	if h.Typeflag != tar.TypeReg || h.Mode&0o111 == 0 {
		return ""
	}
	first, ok := strings.CutPrefix(firstLine(files, name), "#!")
	if !ok {
		return ""
	}
	for _, word := range strings.Fields(first) {
		if slices.Contains(shells, path.Base(word)) {
			return "a script of a shell: " + first
		}
	}
	return ""
}

func packageManager(_ tree, name string, h *tar.Header, _ string) string {
	base := path.Base(name)
	parent := path.Base(path.Dir(name))
	switch {
	case h.Typeflag != tar.TypeDir && parent != "python3.11" && slices.Contains(managers, base):
		return "a package manager by its name"
	case h.Typeflag == tar.TypeDir && slices.Contains(managersInPython, base) &&
		slices.Contains([]string{"site-packages", "dist-packages", "python3.11", "share"}, parent):
		return "a package manager's code"
	case strings.HasSuffix(base, ".whl"):
		return "a wheel that is not installed"
	}
	return ""
}

func special(_ tree, _ string, h *tar.Header, _ string) string {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
	default:
		return fmt.Sprintf("an entry of type %q", h.Typeflag)
	}
	if h.Mode&0o6000 != 0 {
		return fmt.Sprintf("setuid or setgid: %o", h.Mode)
	}
	return ""
}

func writable(_ tree, name string, h *tar.Header, _ string) string {
	if h.Typeflag == tar.TypeSymlink || h.Mode&0o002 == 0 {
		return ""
	}
	if (name == "tmp" || name == "var/tmp") && h.Mode&0o1000 != 0 {
		return ""
	}
	return fmt.Sprintf("mode %o", h.Mode)
}

func dangling(files tree, name string, h *tar.Header, _ string) string {
	if h.Typeflag != tar.TypeSymlink {
		return ""
	}
	if _, err := files.resolve(name); err != nil {
		return err.Error()
	}
	return ""
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func architecture(files tree, name string, h *tar.Header, arch string) string {
	if h.Typeflag != tar.TypeReg || !strings.HasPrefix(firstLine(files, name), elf.ELFMAG) {
		return ""
	}
	f, err := elf.Open(filepath.Join(files.dir, name))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if f.Machine != machines[arch] || f.Class != elf.ELFCLASS64 {
		return fmt.Sprintf("%s, %s", f.Machine, f.Class)
	}
	return ""
}

// userPlaces are what an image gives to its user; all else is root's.
var userPlaces = []string{"app", "home/nonroot"}

func foreignOwner(_ tree, name string, h *tar.Header, _ string) string {
	if h.Uid == 0 && h.Gid != 65532 {
		return ""
	}
	for _, place := range userPlaces {
		if h.Uid == 65532 && (name == place || strings.HasPrefix(name, place+"/")) {
			return ""
		}
	}
	return fmt.Sprintf("%d:%d", h.Uid, h.Gid)
}

// firstLine gives the start of a file, at most what the kernel reads of it.
func firstLine(files tree, name string) string {
	f, err := os.Open(filepath.Join(files.dir, name))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 256)).ReadString('\n')
	return line
}

// resolve follows links as a process in the image would, without leaving it.
func (files tree) resolve(name string) (string, error) {
	todo, at := strings.Split(name, "/"), ""
	for links := 0; len(todo) > 0; {
		next := path.Join(at, todo[0])
		todo = todo[1:]
		if next == "." || next == "" || next == ".." {
			at = ""
			continue
		}
		h, ok := files.entries[next]
		if !ok {
			return "", fmt.Errorf("%s is not there", next)
		}
		if h.Typeflag != tar.TypeSymlink {
			at = next
			continue
		}
		if links++; links > 40 { // the kernel's own limit
			return "", errors.New("a loop of links")
		}
		if path.IsAbs(h.Linkname) {
			at = ""
		}
		todo = append(strings.Split(strings.Trim(h.Linkname, "/"), "/"), todo...)
	}
	return at, nil
}
