package rules

import (
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var packageManagerRule = Rule{
	Name:    "package-manager",
	Summary: "no package manager of a system or of a language, nor a wheel that holds one",
	Why:     "it brings anything into a running container, and its bundled copies are software that nobody updates",
	Fix:     "install in a build stage, and copy only what was installed",
	Check:   checkManager,
}

// managers are programs; a database alone, which scanners read, manages nothing.
var managers = &overlay.Tool{
	What: "package manager",
	Names: overlay.ToolNames("dpkg", "dpkg-[a-z-]+", "apt", "apt-[a-z-]+", "aptitude(-[a-z-]+)?", "dselect", "gdebi", "debootstrap", "apk", "rpm", "rpm2cpio|rpm2archive", "rpm(build|db|keys|query|verify)",
		"yum|yumdownloader", "t?dnf|dnf-[0-9]+", "microdnf", "zypper", "pacman", "pacman-[a-z]+", "opkg|opkg-cl|ipkg", "xbps-[a-z]+", "emerge", "nix|nix-[a-z]+", "guix",
		"snap|snapd", "flatpak", "brew", "pip|pip3", "easy_install", "uv|uvx", "poetry", "pipx", "pipenv", "pdm", "hatch", "rye", "pixi", "conda|mamba|micromamba",
		"npm|npx", "yarn|yarnpkg", "pnpm|pnpx", "corepack", "gem", "bundle|bundler", "cargo", "composer", "luarocks", "cpan|cpanm"),
	Programs: []string{"dpkg", "apt", "apt-get", "apk", "rpm", "yum", "dnf", "microdnf", "zypper", "pacman", "opkg", "pip", "uv", "uvx", "conda", "mamba", "micromamba", "cargo", "npm", "poetry", "snap", "pixi", "rye"},
}

// ManagerModules are Python packages that install others, by the name of their
// directory or file; pkg_resources and _distutils_hack are setuptools'.
var ManagerModules = map[string]string{
	"pip": "pip", "setuptools": "setuptools", "pkg_resources": "setuptools", "_distutils_hack": "setuptools",
	"distutils-precedence.pth": "setuptools", "easy_install.py": "setuptools", "uv": "uv", "poetry": "poetry", "pipx": "pipx",
	"pipenv": "pipenv", "pdm": "pdm", "hatch": "hatch", "conda": "conda", "mamba": "mamba", "dnf": "dnf", "yum": "yum",
}

var (
	// managerInfo matches the egg, or the metadata directory of a distribution that installs
	// others, managerArchive a wheel, source or zip application of one.
	managerInfo    = regexp.MustCompile(`^(?i)(pip|setuptools|uv|poetry|pipx|pipenv|pdm|hatch|conda|mamba)(-[^-/]+(-py[0-9.]+)?)?\.((dist|egg)-info|egg)$`)
	managerArchive = regexp.MustCompile(`^(?i)((pip|setuptools|uv|poetry|pipx|pipenv|pdm|hatch)-[0-9][^/]*\.(whl|egg|zip|tar\.gz|tar\.bz2)|(pip|uv|poetry)([0-9.-][^/]*)?\.pyz|get-pip\.py|ez_setup\.py)$`)
)

// managerInside are parts that only these packages have, wherever they are copied to.
var managerInside = map[string]bool{
	"pip/_internal": true, "pip/_vendor": true, "setuptools/command": true, "setuptools/_distutils": true, "setuptools/_vendor": true,
	"pkg_resources/_vendor": true, "pkg_resources/extern": true,
}

// managerParts are texts of which a path has one if it is a manager's: most have
// none.
var managerParts = []string{"pip", "setuptools", "pkg_resources", "distutils", "easy_install", "uv", "poetry", "pdm", "hatch", "conda", "mamba", "/dnf", "/yum"}

// archiveExts are the endings that managerArchive can match.
var archiveExts = map[string]bool{".whl": true, ".egg": true, ".zip": true, ".gz": true, ".bz2": true, ".pyz": true, ".py": true}

func checkManager(im *overlay.Image) []overlay.Hit {
	ts := im.Tools(managers)
	hits := ts.Hits()
	modules := overlay.NewGroups()
	for _, e := range im.Entries {
		if e.Kind == scan.Directory || isDevice(e.Kind) || ts.Found[e] != "" {
			continue
		}
		base := path.Base(e.At)
		if archiveExts[path.Ext(base)] && managerArchive.MatchString(base) || strings.Contains(e.At, "/ensurepip/_bundled/") && path.Ext(base) == ".whl" {
			hits = append(hits, e.Hit("a package manager or a part of one, ready to install"))
		} else if name, at := managerModule(e.At); name != "" {
			modules.Add(e, name+"\x00"+at)
		}
	}
	return append(hits, modules.Hits(func(g *overlay.Group) string {
		name, _, _ := strings.Cut(g.Key.Name, "\x00")
		return "a part of " + name + ", which installs Python packages" + im.NeededBy(name)
	})...)
}

// managerModule returns the manager that a file is a part of, and the place of its
// module or metadata.
func managerModule(at string) (name, place string) {
	if !hasAny(at, managerParts) {
		return "", ""
	}
	parts := strings.Split(at, "/")
	for i := 1; i < len(parts); i++ {
		switch parent := parts[i-1]; {
		case (strings.HasSuffix(parts[i], "-info") || strings.HasSuffix(parts[i], ".egg")) && managerInfo.MatchString(parts[i]):
			name, _, _ = strings.Cut(strings.ToLower(parts[i]), "-")
			return strings.TrimSuffix(name, ".egg"), strings.Join(parts[:i+1], "/")
		case ManagerModules[parts[i]] != "" && python.IsModuleDir(parent):
			return ManagerModules[parts[i]], strings.Join(parts[:i+1], "/")
		case managerInside[parent+"/"+parts[i]] && (strings.HasSuffix(at, ".py") || strings.HasSuffix(at, ".pyc")):
			return strings.SplitN(parent, "-", 2)[0], strings.Join(parts[:i], "/")
		}
	}
	return "", ""
}

func isDevice(k scan.Kind) bool { return k == scan.CharDev || k == scan.BlockDev || k == scan.FIFO }
