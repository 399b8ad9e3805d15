package pysource

import "slices"

// The words that make a module one that cannot be seen through.
var (
	// naming are functions that can add names to a module.
	naming = []string{"globals", "locals", "vars", "exec", "eval", "execfile", "setattr"}
	// finding decide what all later imports find.
	finding = []string{"meta_path", "path_hooks", "path_importer_cache", "addsitedir", "addpackage", "install_as_MySQLdb", "pyximport", "activate_this", "initpkg"}
	// splitting are about the package's own submodules.
	splitting = []string{"__path__", "extend_path", "declare_namespace"}
)

// hidden notes what a line does that the names and files of an image do not show.
func (r *reader) hidden(tokens []token) {
	line := 0
	for i, t := range tokens {
		if t.kind != name {
			continue
		}
		attribute := i > 0 && tokens[i-1].is(".")
		switch {
		case !attribute && slices.Contains(naming, t.text):
			r.Dynamic = true
			if t.text == "exec" || t.text == "execfile" {
				line = t.line
			}
		case t.text == "__dict__":
			r.Dynamic = true
		case slices.Contains(finding, t.text):
			line = t.line
		case slices.Contains(splitting, t.text):
			r.Hooked = true
		case t.text == "path" || t.text == "modules":
			if r.ofSystem(tokens, i) {
				r.Dynamic = r.Dynamic || t.text == "modules"
				if !harmless(tokens, i) {
					line = t.line
				}
			}
		}
	}
	if line > 0 {
		r.Hooked = true
		if n := len(r.Steps); n == 0 || r.Steps[n-1].Action != Change {
			r.step(Step{Action: Change, Line: line})
		}
	}
}

// ofSystem reports whether a name is one of the module sys.
func (r *reader) ofSystem(tokens []token, i int) bool {
	if i > 1 && tokens[i-1].is(".") {
		return tokens[i-2].kind == name && slices.Contains(r.systems, tokens[i-2].text)
	}
	return len(tokens) > 2 && tokens[0].is("from") && tokens[1].is("sys")
}

// harmless reports whether sys.path or sys.modules is only looked into.
func harmless(tokens []token, i int) bool {
	behind := func(n int, s string) bool { return i+n < len(tokens) && tokens[i+n].is(s) }
	switch {
	case i > 2 && tokens[i-3].is("in"):
		return true
	case tokens[i].is("modules") && behind(1, "["):
		return behind(2, "__name__") && !behind(4, "=")
	case tokens[i].is("modules") && behind(1, "."):
		return behind(2, "get") || behind(2, "keys") || behind(2, "values") || behind(2, "items")
	}
	return false
}
