package verify

import (
	"path"
	"regexp"
	"strings"
)

var pythonName = regexp.MustCompile(`^(python|pypy)[0-9.]*$`)

// pythonArgs judges the script or module that an interpreter is to run. Options
// that take a value are -X and -W; behind -c there is nothing to find.
func (im *image) pythonArgs(field string, id identity, args []string) []hit {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "-X" || arg == "-W" || arg == "--check-hash-based-pycs":
			i++
		case strings.HasPrefix(arg, "--"):
		case len(arg) > 1 && arg[0] == '-':
			at := strings.IndexAny(arg, "mcXW")
			if at < 0 {
				continue
			}
			if arg[at] != 'm' {
				return nil
			}
			module := arg[at+1:]
			if module == "" && i+1 < len(args) {
				module = args[i+1]
			}
			return im.pythonModule(field, module)
		case arg == "-" || arg == "":
			return nil
		default:
			return im.pythonScript(field, id, arg)
		}
	}
	return nil
}

func (im *image) pythonScript(field string, id identity, script string) []hit {
	p := im.absolute(script)
	at, n := im.follow(p)
	switch {
	case im.isMounted(p):
		return nil
	case n == nil:
		return atConfig(field, "Python's script "+p+" is not in the image")
	case im.isDir(p) && !im.exists(path.Join(at, "__main__.py")) && !im.exists(path.Join(at, "__main__.pyc")):
		return atConfig(field, "Python's script "+p+" is a directory without a __main__.py")
	case !im.may(id, at, mayRead):
		return atConfig(field, "Python's script "+p+" may not be read by the user: "+im.barrier(id, at))
	}
	return nil
}

// pythonModule looks for a module's first name wherever an interpreter of the image
// could; an editable install or an import hook (.pth) can have it anywhere.
func (im *image) pythonModule(field, module string) []hit {
	top, _, _ := strings.Cut(module, ".")
	if top == "" || im.isMounted(im.absolute(".")) {
		return nil
	}
	roots := map[string]bool{im.followed("."): true}
	if list, ok := im.env("PYTHONPATH"); ok {
		for dir := range strings.SplitSeq(list, ":") {
			roots[im.followed(dir)] = true
		}
	}
	there := false
	im.visible(func(e *entry) {
		dir, base := path.Split(e.at)
		dir = path.Clean(dir)
		name, _, _ := strings.Cut(base, ".")
		if parent := path.Base(dir); name == top && (roots[dir] || isModuleDir(parent) || parent == "lib-dynload") {
			there = true
		}
		if path.Ext(base) == ".pth" && isModuleDir(path.Base(dir)) || strings.HasSuffix(base, ".zip") || strings.HasSuffix(base, ".egg-link") {
			there = true
		}
		if d := path.Base(dir); d == top && (roots[path.Dir(dir)] || isModuleDir(path.Base(path.Dir(dir)))) {
			there = true
		}
	})
	if there {
		return im.pythonSubmodule(field, module)
	}
	return atConfig(field, "Python's module "+module+" is neither in the working directory nor installed")
}

// pythonSubmodule looks into a package of the working directory, which is the
// first that python -m imports from. A package must have a __main__ to be run.
func (im *image) pythonSubmodule(field, module string) []hit {
	parts := strings.Split(module, ".")
	if !im.exists(im.absolute(parts[0])) || !im.exists(path.Join(im.absolute(parts[0]), "__init__.py")) {
		return nil // somewhere else, or a namespace that others add to
	}
	at := path.Join(im.followed("."), path.Join(parts...))
	if im.isModule(at) || im.isModule(path.Join(at, "__main__")) {
		return nil
	}
	return atConfig(field, "Python's module "+module+" is not in the package "+im.absolute(parts[0])+", or cannot be run")
}

// isModule tells source, bytecode and extension modules.
func (im *image) isModule(at string) bool {
	dir, base := path.Split(at)
	n := im.lookup(dir)
	if n == nil {
		return false
	}
	for _, ext := range []string{".py", ".pyc", ".so"} {
		if n.children[base+ext] != nil {
			return true
		}
	}
	for name := range n.children {
		if strings.HasPrefix(name, base+".") && path.Ext(name) == ".so" {
			return true
		}
	}
	return false
}

func (im *image) followed(p string) string {
	at, _ := im.follow(im.absolute(p))
	return at
}

// runtimeFiles are those that every runtime mounts into a container.
var runtimeFiles = map[string]bool{"/etc/hosts": true, "/etc/hostname": true, "/etc/resolv.conf": true}

// isMounted tells places that get their content when a container runs.
func (im *image) isMounted(p string) bool {
	if im.volumes == nil {
		im.volumes = map[string]bool{}
		for v := range im.config.Config.Volumes {
			im.volumes[path.Clean("/"+v)] = true
		}
	}
	if isWithin(p, im.volumes) || runtimeFiles[p] {
		return true
	}
	for _, dir := range []string{"/run/", "/var/run/", "/proc/", "/sys/", "/dev/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(p+"/", dir) {
			return true
		}
	}
	return false
}

// isWithin tells whether a path is one of several places, or below one.
func isWithin(p string, places map[string]bool) bool {
	for len(places) > 0 && !places[p] {
		if p == "/" || p == "." {
			return false
		}
		p = path.Dir(p)
	}
	return len(places) > 0
}
