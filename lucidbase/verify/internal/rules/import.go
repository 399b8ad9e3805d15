package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
)

var importRule = Rule{
	Name:    "import",
	Summary: "what the application's modules import at their top level is in the standard library, the application or a distribution",
	Why:     "the container ends at its start, with ModuleNotFoundError or ImportError",
	Fix:     "copy the module into the image, or install the distribution that has it",
	Check:   checkImport,
}

// checkImport follows the imports of the program that the image starts, in the order in
// which Python runs them. Judged is what always happens: statements at the top level of
// the application's own modules, neither in an if nor in a try. Followed are these, and
// those in the bodies of functions that the modules call as they are imported. It ends
// where sys.path or the like is changed: what is found from there on cannot be seen.
func checkImport(im *overlay.Image) []overlay.Hit {
	p := startedProgram(im)
	if p == nil || len(p.judge()) > 0 {
		return nil
	}
	w := &walk{im: im, field: p.field, seen: map[visit]bool{}, said: map[string]int{}}
	t := p.target()
	if t != nil {
		w.importer = p.importer(t.dir)
	} else {
		w.importer = p.importer()
	}
	if w.importer.Blind() {
		return nil
	}
	w.start(p)
	if t != nil {
		w.reach(t.module)
		if chain, _ := w.importer.Import(t.module); t.called && isWhole(chain, t.module) {
			w.run(chain[len(chain)-1], t.attribute)
		}
	}
	return w.hits
}

// walk goes from module to module.
type walk struct {
	im       *overlay.Image
	importer *overlay.Importer
	field    string
	seen     map[visit]bool
	// said counts the findings of each missing name.
	said map[string]int
	hits []overlay.Hit
	// changed is set once sys.path is another.
	changed bool
	// steps counts the statements that were looked at, depth the modules that import
	// each other.
	steps, depth int
	// sets are the attributes that any module of the application sets on others.
	sets map[string]bool
}

// visit is a module, or a function of it, that is run.
type visit struct {
	at string
	in string
}

// maxImports is how many statements are looked at, ten times what a large application
// has. maxDepth is how many modules import each other in a row: CPython fails before that.
const (
	maxImports = 200_000
	maxDepth   = 1000
)

// start runs the program itself.
func (w *walk) start(p *pythonProgram) {
	switch {
	case p.isConsoleScript():
		if script := overlay.Script(w.im.Regular(w.im.Absolute(p.script))); script != nil {
			for _, s := range script.Source.Steps { // judged by the rule entry
				if s.In == "" && s.Action == pysource.From {
					w.reach(s.Module)
				}
			}
		}
	case p.script != "":
		at := w.im.Absolute(p.script)
		if w.im.IsDir(at) {
			at = path.Join(at, "__main__.py")
		}
		file := w.im.Regular(at)
		switch script := overlay.Script(file); {
		case w.im.IsMounted(at) || w.refused(file):
		case script != nil:
			w.run(script, "")
		}
	case p.module != "":
		w.reach(p.module)
		if chain, _ := w.importer.Import(p.module); isWhole(chain, p.module) && chain[len(chain)-1].IsPackage() {
			w.reach(p.module + ".__main__")
		}
	default:
		w.run(p.codeModule(), "")
	}
}

// reach runs a module and the packages that it is in; nothing is said of what is
// missing.
func (w *walk) reach(module string) {
	chain, _ := w.importer.Import(module)
	for _, m := range chain {
		w.run(m, "")
	}
}

// run goes through what a module does, or a function of it.
func (w *walk) run(m *overlay.Imported, in string) {
	v := visit{in: in}
	if m.File != nil {
		v.at = m.File.At
	}
	if w.seen[v] || m.File != nil && w.im.IsMounted(v.at) || w.refused(m.File) || m.Source == nil {
		return
	}
	w.seen[v] = true
	if w.depth++; w.depth > maxDepth {
		w.changed = true
	}
	defer func() { w.depth-- }()
	for _, s := range m.Source.Steps {
		if w.steps++; w.changed || w.steps > maxImports {
			return
		}
		switch {
		case s.Action == pysource.Change:
			w.changed = w.changed || in == ""
		case s.In != in:
		case s.Action == pysource.Import:
			w.module(m, s, s.Module)
		case s.Action == pysource.From:
			w.from(m, s)
		case s.Action == pysource.Call:
			w.call(m, s.Module)
		}
	}
}

// refused adds a finding for a module that the compiler did not take, as it says itself
// in the place of the bytecode.
func (w *walk) refused(e *overlay.Entry) bool {
	if e == nil || path.Ext(e.At) != ".py" {
		return false
	}
	why := w.im.Regular(path.Join(path.Dir(e.At), "__pycache__", strings.TrimSuffix(path.Base(e.At), ".py")+".error"))
	if why == nil {
		return false
	}
	if v := (visit{at: e.At}); !w.seen[v] {
		w.seen[v] = true
		w.hits = append(w.hits, e.Hit(why.Content().Text).FixedBy("correct it for the image's Python; what nothing imports is left alone"))
	}
	return true
}

// module judges and runs one module that a statement names.
func (w *walk) module(m *overlay.Imported, s pysource.Step, module string) (last *overlay.Imported) {
	chain, missing := w.importer.Import(module)
	for _, imported := range chain {
		w.run(imported, "")
	}
	switch {
	case w.changed:
		return nil
	case missing != "" && s.In == "":
		w.missing(m, s, module, missing, chain)
	}
	if missing != "" || !isWhole(chain, module) {
		return nil
	}
	return chain[len(chain)-1]
}

// from judges a from statement: its module, then each name, which can be a submodule.
func (w *walk) from(m *overlay.Imported, s pysource.Step) {
	module, ok := absolute(m, s)
	if !ok {
		if s.In == "" {
			w.say(m, s, "", fmt.Sprintf("imports from %s%s, relative to a package, and %s is in none as it is started", strings.Repeat(".", s.Level), s.Module, place(m)),
				"start it as a module of its package (python -m package.module, package.module:app), or import by the full name")
		}
		return
	}
	base := w.module(m, s, module)
	if base == nil {
		return
	}
	for _, n := range s.Names {
		if n == "*" || base.Has(n) {
			continue
		}
		chain, missing := w.importer.Import(base.Name + "." + n)
		for _, imported := range chain {
			w.run(imported, "")
		}
		if missing != "" && s.In == "" && !w.changed && !w.isSet(n) {
			found := fmt.Sprintf("imports %s from %s: %s does not define it", n, module, place(base))
			if base.IsPackage() {
				found += ", and there is no such module"
			}
			w.say(m, s, base.Name+":"+n, found, "")
		}
	}
}

// absolute returns the full name of what a from statement names.
func absolute(m *overlay.Imported, s pysource.Step) (string, bool) {
	if s.Level == 0 {
		return s.Module, true
	}
	base := m.Package
	for range s.Level - 1 {
		i := strings.LastIndex(base, ".")
		if i < 0 {
			return "", false
		}
		base = base[:i]
	}
	switch {
	case base == "":
		return "", false
	case s.Module == "":
		return base, true
	}
	return base + "." + s.Module, true
}

// call runs a function of the module, or one that it has from another.
func (w *walk) call(m *overlay.Imported, function string) {
	w.run(m, function)
	w.steps += len(m.Source.Steps) / 16
	for _, s := range m.Source.Steps {
		if s.Action != pysource.From || !slices.Contains(s.Names, function) {
			continue
		}
		if module, ok := absolute(m, s); ok {
			if chain, _ := w.importer.Import(module); isWhole(chain, module) && w.seen[visit{at: atOf(chain[len(chain)-1])}] {
				w.run(chain[len(chain)-1], function)
			}
		}
	}
}

func atOf(m *overlay.Imported) string {
	if m.File == nil {
		return ""
	}
	return m.File.At
}

// isSet reports whether any module of the application sets such an attribute on
// something: it can be the module that lacks it.
func (w *walk) isSet(attribute string) bool {
	if w.sets == nil {
		w.sets = map[string]bool{}
		w.im.Visible(func(e *overlay.Entry) {
			if m := e.Content().Module; m != nil {
				for _, n := range m.Sets {
					w.sets[n] = true
				}
			}
		})
	}
	return w.sets[attribute]
}

func (w *walk) missing(m *overlay.Imported, s pysource.Step, module, missing string, chain []*overlay.Imported) {
	found, fix := "imports "+module, ""
	full := module
	if len(s.Names) > 0 {
		full += "." + s.Names[0]
	}
	distribution := distributionOf(missing, full)
	switch {
	case len(chain) > 0 && chain[len(chain)-1].Source != nil && !chain[len(chain)-1].IsPackage():
		found += fmt.Sprintf(", and %s is no package", place(chain[len(chain)-1]))
	case overlay.IsStandard(missing):
		found += ", which the image's standard library lacks"
		fix = "take a base whose Python has it, or do without"
	case len(chain) > 0 && chain[len(chain)-1].File != nil:
		found += fmt.Sprintf(", and there is no module %s in %s", missing[strings.LastIndex(missing, ".")+1:], chain[len(chain)-1].Name)
	default:
		found += ", which neither the standard library nor the application nor a distribution has"
	}
	if distribution != "" {
		found += "; it is part of " + distribution
		fix = "add " + distribution + " to the requirements, and lock them again"
	}
	w.say(m, s, missing, found, fix)
}

// say adds a finding; of each missing name there are several at most.
func (w *walk) say(m *overlay.Imported, s pysource.Step, missing, found, fix string) {
	if w.said[missing]++; w.said[missing] > overlay.Several {
		return
	}
	found = fmt.Sprintf("line %d %s", s.Line, found)
	if m.File == nil {
		w.hits = append(w.hits, overlay.WithFix(overlay.AtConfig(w.field, found), fix)...)
		return
	}
	w.hits = append(w.hits, m.File.Hit(found).FixedBy(fix))
}
