package rules

import (
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
)

var entryRule = Rule{
	Name:    "entry",
	Summary: "the script, the module and the application that the command names to Python or to a server are in the image",
	Why:     "the container ends at its start, with ModuleNotFoundError or AttributeError",
	Fix:     "add the script or module to the image, readable by its user, or correct the command",
	Check:   checkEntry,
}

// checkEntry judges what an interpreter is told to run; whether that can be started is
// the rule command's, and what the program then imports the rule import's.
func checkEntry(im *overlay.Image) []overlay.Hit {
	p := startedProgram(im)
	if p == nil {
		return nil
	}
	if hits := p.judge(); len(hits) > 0 {
		return hits
	}
	if t := p.target(); t != nil {
		return p.judgeTarget(t)
	}
	return nil
}

// judge looks for the script or the module itself.
func (p *pythonProgram) judge() []overlay.Hit {
	switch {
	case p.isConsoleScript():
		return p.judgeConsoleScript()
	case p.script != "":
		return pythonScript(p.im, p.field, p.im.User(), p.script)
	case p.module != "":
		return p.judgeModule()
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

func (p *pythonProgram) judgeModule() []overlay.Hit {
	importer := p.importer()
	if p.im.IsMounted(p.im.Absolute(".")) {
		return nil
	}
	chain, missing := importer.Import(p.module)
	switch {
	case missing == p.module && len(chain) == 0:
		return overlay.AtConfig(p.field, "Python's module "+p.module+" is neither in the working directory nor installed")
	case missing != "":
		return overlay.AtConfig(p.field, "Python's module "+p.module+" is not in the image: there is no "+missing)
	case !isWhole(chain, p.module) || !chain[len(chain)-1].IsPackage():
		return nil
	}
	if _, missing := importer.Import(p.module + ".__main__"); missing != "" {
		return overlay.AtConfig(p.field, "Python's package "+p.module+" cannot be run: it has no __main__.py")
	}
	return nil
}

// isWhole reports whether a module was found itself, not only packages that it can be
// in.
func isWhole(chain []*overlay.Imported, module string) bool {
	return len(chain) > 0 && len(chain) == 1+strings.Count(module, ".")
}

// judgeConsoleScript looks for the function that the script of an installer imports.
func (p *pythonProgram) judgeConsoleScript() []overlay.Hit {
	script := p.im.Regular(p.im.Absolute(p.script))
	main := overlay.Script(script)
	if main == nil {
		return nil
	}
	importer := p.importer()
	for _, s := range main.Source.Steps {
		if s.Action == pysource.Change {
			return nil
		}
		if s.Action != pysource.From || s.In != "" || s.Level > 0 {
			continue
		}
		chain, missing := importer.Import(s.Module)
		if missing != "" {
			return overlay.AtConfig(p.field, fmt.Sprintf("%s imports %s, and there is no module %s", p.script, s.Module, missing))
		}
		for _, n := range s.Names {
			if n != "*" && isWhole(chain, s.Module) && !has(importer, chain[len(chain)-1], n) {
				return overlay.AtConfig(p.field, fmt.Sprintf("%s imports %s from %s, which does not define it", p.script, n, s.Module))
			}
		}
	}
	return nil
}

// has reports whether a module has a name, as an attribute or a submodule.
func has(importer *overlay.Importer, m *overlay.Imported, n string) bool {
	if m.Has(n) {
		return true
	}
	_, missing := importer.Import(m.Name + "." + n)
	return missing == ""
}

func (p *pythonProgram) judgeTarget(t *target) []overlay.Hit {
	importer := p.importer(t.dir)
	chain, missing := importer.Import(t.module)
	if t.loose && missing == t.module && len(chain) > 0 {
		if last := chain[len(chain)-1]; has(importer, last, t.module[len(last.Name)+1:]) {
			return nil
		}
	}
	switch {
	case missing == t.module && len(chain) > 0 && t.loose:
		return overlay.AtConfig(p.field, fmt.Sprintf("there is no %s: neither a module nor an attribute of %s", t.module, chain[len(chain)-1].Name))
	case missing != "":
		return overlay.AtConfig(p.field, fmt.Sprintf("the application is to be %s, and there is no module %s", t, missing))
	case t.attribute == "" || !isWhole(chain, t.module):
		return nil
	}
	last := chain[len(chain)-1]
	attribute, _, _ := strings.Cut(t.attribute, ".")
	if has(importer, last, attribute) {
		return nil
	}
	return overlay.AtConfig(p.field, fmt.Sprintf("the application is to be %s, and %s does not define %s", t, place(last), attribute))
}

// place is a module's file, or its name where it has none.
func place(m *overlay.Imported) string {
	if m.File != nil {
		return m.File.Path
	}
	return m.Name
}

func (t *target) String() string {
	if t.attribute == "" {
		return t.module
	}
	return t.module + ":" + t.attribute
}
