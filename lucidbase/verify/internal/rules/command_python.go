package rules

import (
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

var pythonName = regexp.MustCompile(`^(python|pypy)[0-9.]*$`)

// pythonArgs judges the script or module that an interpreter is to run. Options
// that take a value are -X and -W; behind -c there is nothing to find.
func pythonArgs(im *overlay.Image, field string, id overlay.Identity, args []string) []overlay.Hit {
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
			return pythonModule(im, field, module)
		case arg == "-" || arg == "":
			return nil
		default:
			return pythonScript(im, field, id, arg)
		}
	}
	return nil
}

func pythonScript(im *overlay.Image, field string, id overlay.Identity, script string) []overlay.Hit {
	p := im.Absolute(script)
	at, n := im.Follow(p)
	switch {
	case im.IsMounted(p):
		return nil
	case n == nil:
		return overlay.AtConfig(field, "Python's script "+p+" is not in the image")
	case im.IsDir(p) && !im.Exists(path.Join(at, "__main__.py")) && !im.Exists(path.Join(at, "__main__.pyc")):
		return overlay.AtConfig(field, "Python's script "+p+" is a directory without a __main__.py")
	case !im.May(id, at, overlay.MayRead):
		return overlay.AtConfig(field, "Python's script "+p+" may not be read by the user: "+im.Barrier(id, at))
	}
	return nil
}

// pythonModule looks for a module's first name wherever an interpreter of the image
// could; an editable install or an import hook (.pth) can have it anywhere.
func pythonModule(im *overlay.Image, field, module string) []overlay.Hit {
	top, _, _ := strings.Cut(module, ".")
	if top == "" || im.IsMounted(im.Absolute(".")) {
		return nil
	}
	roots := map[string]bool{im.Followed("."): true}
	if list, ok := im.Env("PYTHONPATH"); ok {
		for dir := range strings.SplitSeq(list, ":") {
			roots[im.Followed(dir)] = true
		}
	}
	there := false
	im.Visible(func(e *overlay.Entry) {
		dir, base := path.Split(e.At)
		dir = path.Clean(dir)
		name, _, _ := strings.Cut(base, ".")
		if parent := path.Base(dir); name == top && (roots[dir] || python.IsModuleDir(parent) || parent == "lib-dynload") {
			there = true
		}
		if path.Ext(base) == ".pth" && python.IsModuleDir(path.Base(dir)) || strings.HasSuffix(base, ".zip") || strings.HasSuffix(base, ".egg-link") {
			there = true
		}
		if d := path.Base(dir); d == top && (roots[path.Dir(dir)] || python.IsModuleDir(path.Base(path.Dir(dir)))) {
			there = true
		}
	})
	if there {
		return pythonSubmodule(im, field, module)
	}
	return overlay.AtConfig(field, "Python's module "+module+" is neither in the working directory nor installed")
}

// pythonSubmodule looks into a package of the working directory, which is the
// first that python -m imports from. A package must have a __main__ to be run.
func pythonSubmodule(im *overlay.Image, field, module string) []overlay.Hit {
	parts := strings.Split(module, ".")
	if !im.Exists(im.Absolute(parts[0])) || !im.Exists(path.Join(im.Absolute(parts[0]), "__init__.py")) {
		return nil // somewhere else, or a namespace that others add to
	}
	at := path.Join(im.Followed("."), path.Join(parts...))
	if im.IsModule(at) || im.IsModule(path.Join(at, "__main__")) {
		return nil
	}
	return overlay.AtConfig(field, "Python's module "+module+" is not in the package "+im.Absolute(parts[0])+", or cannot be run")
}
