package migrate

import (
	"regexp"
	"strings"

	"github.com/google/shlex"
)

// split cuts a script into simple commands, at what stands between them outside of
// quotes. piped says of each whether a | or || is before it.
func split(script string) (commands []string, piped []bool) {
	var b strings.Builder
	var before rune
	end := func(r rune) {
		if s := strings.TrimSpace(b.String()); s != "" {
			commands, piped = append(commands, s), append(piped, before == '|')
		}
		before = r
		b.Reset()
	}
	var quote, last rune
	escaped := false
	inner := 0 // how many $( are open
	for i, r := range script {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '(' && (last == '$' || inner > 0):
			inner++
		case inner > 0:
			if r == ')' {
				inner--
			}
		case r == '&' && (last == '>' || strings.HasPrefix(script[i:], "&>")):
		case strings.ContainsRune(";&|\n()", r):
			end(r)
			last = r
			continue
		}
		b.WriteRune(r)
		last = r
	}
	end(0)
	return commands, piped
}

// redirection is where input or output of a command goes; its group is empty if that is
// the next word.
var redirection = regexp.MustCompile(`^(?:\d*|&)(?:>>?|<|>\|)(&?[^&]*)$`)

// substituted is what the output of a command stands for: one word.
var substituted = regexp.MustCompile(`\$\([^()]*(\([^()]*\)[^()]*)*\)`)

// words are a simple command's words, without quotes and redirections; nil if it has
// none or is broken.
func words(command string) []string {
	all, err := shlex.Split(substituted.ReplaceAllStringFunc(command, func(found string) string {
		return strings.NewReplacer(" ", "", "\t", "", "'", "", `"`, "").Replace(found)
	}))
	if err != nil {
		return nil
	}
	var w []string
	for i := 0; i < len(all); i++ {
		switch found := redirection.FindStringSubmatch(all[i]); {
		case found == nil:
			w = append(w, all[i])
		case found[1] == "":
			i++
		}
	}
	return w
}

// needsShell matches what only a shell can do, in a command without quoted texts.
var needsShell = regexp.MustCompile("[|&;<>()`*?\\[\\]{}~\n]|\\$\\(")

// singleQuoted is text in which a shell replaces nothing.
var singleQuoted = regexp.MustCompile(`'[^']*'`)

// doubleQuoted is text in which it has nothing to replace.
var doubleQuoted = regexp.MustCompile(`"[^"$` + "`" + `]*"`)

// variable matches $NAME, ${NAME}, ${NAME:-default} and ${NAME-default}.
var variable = regexp.MustCompile(`\$(?:(\w+)|\{(\w+)(?::?-([^{}]*))?\})`)

// constants replaces variables by what env says or by their defaults, and returns the
// names of those that have neither. In single quotes a shell replaces nothing.
func constants(text string, env map[string]string) (out string, replaced, unknown []string) {
	replace := func(found string) string {
		g := variable.FindStringSubmatch(found)
		name := g[1] + g[2]
		if value, ok := env[name]; ok {
			replaced = append(replaced, name)
			return value
		}
		if strings.Contains(found, "-") {
			replaced = append(replaced, name)
			return g[3]
		}
		unknown = append(unknown, name)
		return found
	}
	start, quote := 0, rune(0)
	for i, r := range text {
		switch {
		case r == quote && r == '\'':
			out, start, quote = out+text[start:i], i, 0
		case r == quote:
			quote = 0
		case quote == 0 && r == '\'':
			out, start, quote = out+variable.ReplaceAllStringFunc(text[start:i], replace), i, r
		case quote == 0 && r == '"':
			quote = r
		}
	}
	return out + variable.ReplaceAllStringFunc(text[start:], replace), replaced, unknown
}
