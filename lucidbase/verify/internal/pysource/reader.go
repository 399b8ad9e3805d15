package pysource

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// reader goes through the logical lines of a source.
type reader struct {
	Module
	*lexer
	blocks      []block
	names, sets map[string]bool
	// functions counts the definitions of each function of the top level.
	functions map[string]int
	// left are the functions that may have been left by a statement above.
	left map[string]bool
	// systems are the names that the module sys has.
	systems []string
	called  map[[2]string]bool
}

// block is a compound statement: the lines that are indented more are its body.
type block struct {
	column int
	// function is the name behind def.
	function       string
	class, matches bool
}

// compound are the words that begin a statement with a body.
var compound = map[string]bool{
	"if": true, "elif": true, "else": true, "for": true, "while": true, "try": true, "except": true, "finally": true, "with": true,
	"def": true, "class": true, "async": true, "match": true, "case": true,
}

func (r *reader) logicalLine() {
	matches := false
	for n := len(r.blocks); n > 0 && r.blocks[n-1].column >= r.column; n-- {
		r.blocks = r.blocks[:n-1]
	}
	if n := len(r.blocks); n > 0 {
		matches = r.blocks[n-1].matches
	}
	tokens := r.tokens
	r.hidden(tokens)
	r.globals(tokens)
	r.attributes(tokens)
	r.leaves(tokens)
	switch first := tokens[0]; {
	case first.is("@"):
		return
	case first.is("case") && !matches, first.is("match") && (len(tokens) < 3 || !tokens[len(tokens)-1].is(":")):
		// A name: neither is a keyword.
	case first.kind == name && compound[first.text]:
		r.header(tokens)
		return
	}
	start := 0
	for i := 0; i <= len(tokens); i++ {
		if i < len(tokens) && (tokens[i].depth > 0 || !tokens[i].is(";")) {
			continue
		}
		if i > start {
			r.statement(tokens[start:i])
		}
		start = i + 1
	}
}

// scope returns the function whose body the line is in, and reports whether it is
// always reached when that is called; for the module itself, when it is imported.
func (r *reader) scope() (function string, always bool) {
	switch {
	case len(r.blocks) == 0:
		return "", true
	case len(r.blocks) == 1 && r.blocks[0].function != "":
		return r.blocks[0].function, !r.left[r.blocks[0].function]
	}
	return "", false
}

// inModule reports whether the line binds names of the module: it is in no function
// and no class.
func (r *reader) inModule() bool {
	return !slices.ContainsFunc(r.blocks, func(b block) bool { return b.function != "" || b.class })
}

// header reads the beginning of a compound statement.
func (r *reader) header(tokens []token) {
	b := block{column: r.column}
	if tokens[0].is("async") && len(tokens) > 1 {
		tokens = tokens[1:]
	}
	word := tokens[0].text
	switch {
	case (word == "def" || word == "class") && len(tokens) > 1:
		defined := strings.Clone(tokens[1].text)
		if b.class = word == "class"; !b.class {
			b.function = defined
		}
		if r.inModule() {
			r.bind(defined)
		}
		if len(r.blocks) == 0 && !b.class {
			r.functions[defined]++
		}
	case r.inModule() && (word == "with" || word == "case" || !tokens[len(tokens)-1].is(":")):
		r.bindAll(tokens) // a body on the same line binds too
	case r.inModule():
		r.bindings(tokens)
		if word == "for" {
			r.bindAll(tokens[:max(0, slices.IndexFunc(tokens, func(t token) bool { return t.depth == 0 && t.is("in") }))])
		}
	}
	b.matches = word == "match"
	r.blocks = append(r.blocks, b)
}

// leaves notes a statement that can end its function early.
func (r *reader) leaves(tokens []token) {
	if len(r.blocks) == 0 || r.blocks[0].function == "" {
		return
	}
	for _, t := range tokens {
		if t.kind == name && slices.Contains([]string{"return", "raise", "yield", "exit", "_exit", "quit"}, t.text) {
			r.left[r.blocks[0].function] = true
		}
	}
}

func (r *reader) statement(tokens []token) {
	switch {
	case tokens[0].is("import"):
		for _, s := range importStatement(tokens) {
			r.imported(s)
		}
		return
	case tokens[0].is("from"):
		if s, bound := fromStatement(tokens); s.Action == From {
			r.importedFrom(s, bound)
			return
		}
	}
	if r.inModule() {
		r.bindings(tokens)
	}
	if in, always := r.scope(); always {
		r.calls(tokens, in)
	}
}

func (r *reader) step(s Step) {
	if len(r.Steps) <= maxSteps {
		r.Steps = append(r.Steps, s)
	}
}

func (r *reader) imported(s Step) {
	top, _, _ := strings.Cut(s.Module, ".")
	if s.Module == "sys" && s.As != "" {
		r.systems = append(r.systems, s.As)
	}
	if r.inModule() && s.As != "" {
		r.bind(s.As)
	} else if r.inModule() {
		r.bind(top)
	}
	r.always(s)
}

func (r *reader) importedFrom(s Step, bound []string) {
	if r.inModule() {
		r.Dynamic = r.Dynamic || slices.Contains(s.Names, "*")
		for _, n := range bound {
			r.bind(n)
		}
	}
	r.always(s)
}

// always adds an import that is always reached.
func (r *reader) always(s Step) {
	in, always := r.scope()
	if always && len(s.Module) <= maxName {
		s.In = in
		r.step(s)
	}
}

func (r *reader) bind(n string) {
	if len(n) > maxName || !utf8.ValidString(n) || n == "__getattr__" {
		r.Dynamic = true
		return
	}
	if len(r.names) <= maxNames && !r.names[n] {
		r.names[strings.Clone(n)] = true
	}
}

// bindAll binds every name of a piece of code.
func (r *reader) bindAll(tokens []token) {
	for i, t := range tokens {
		if t.kind == name && (i == 0 || !tokens[i-1].is(".")) {
			r.bind(t.text)
		}
	}
}

// bindings binds what a statement's targets can be: every name before its last equals
// sign, before a walrus and behind as. That is more than Python binds, and never less.
func (r *reader) bindings(tokens []token) {
	targets := 0
	if len(tokens) > 1 && tokens[1].is(":") {
		targets = 1
	}
	for i, t := range tokens {
		switch {
		case t.depth == 0 && assigns(t):
			targets = i
		case i == 0:
		case t.is(":="):
			r.bind(tokens[i-1].text)
		case tokens[i-1].is("as"):
			r.bind(t.text)
		}
	}
	r.bindAll(tokens[:targets])
}

// assigns reports whether a token is an equals sign, or one with an operator.
func assigns(t token) bool {
	return t.kind == operator && strings.HasSuffix(t.text, "=") && !slices.Contains([]string{"==", "!=", "<=", ">=", ":="}, t.text)
}

// globals binds what a function declares to be the module's.
func (r *reader) globals(tokens []token) {
	declared := false
	for _, t := range tokens {
		switch {
		case t.is("global"):
			declared = true
		case t.kind == name && declared:
			r.bind(t.text)
		default:
			declared = declared && t.is(",")
		}
	}
}

// attributes notes the attributes that are set on what is not self.
func (r *reader) attributes(tokens []token) {
	for i := 3; i < len(tokens); i++ {
		n := tokens[i-1]
		if tokens[i].is("=") && n.kind == name && tokens[i-2].is(".") && !tokens[i-3].is("self") && len(n.text) <= maxName && len(r.sets) <= maxNames && utf8.ValidString(n.text) {
			r.sets[strings.Clone(n.text)] = true
		}
	}
}

// calls adds the functions that a statement calls for sure, by their names.
func (r *reader) calls(tokens []token, in string) {
	for _, t := range tokens {
		if t.kind == name && slices.Contains([]string{"lambda", "if", "for", "and", "or"}, t.text) {
			return
		}
	}
	for i := 1; i < len(tokens); i++ {
		if t := tokens[i-1]; tokens[i].is("(") && t.kind == name && (i < 2 || !tokens[i-2].is(".")) && len(t.text) <= maxName {
			if called := [2]string{in, t.text}; !r.called[called] && len(r.called) < maxCalls {
				r.called[called] = true
				r.step(Step{Action: Call, Line: t.line, In: in, Module: strings.Clone(t.text)})
			}
		}
	}
}

// dropSteps leaves the calls of functions that the module has from itself or another,
// and nothing of a function that is defined twice.
func (r *reader) dropSteps() {
	known := map[string]bool{}
	for f := range r.functions {
		known[f] = true
	}
	for _, s := range r.Steps {
		for _, n := range s.Names {
			known[n] = true
		}
	}
	r.Steps = slices.DeleteFunc(r.Steps, func(s Step) bool {
		return s.Action == Call && !known[s.Module] || s.In != "" && r.functions[s.In] > 1
	})
}
