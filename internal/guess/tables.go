package guess

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tables returns requirements of what Poetry and Pipenv write: a version, or a table
// with one, by name.
func tables(all map[string]any, version func(string) (string, error)) (lines []string, err error) {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		variants, ok := all[name].([]map[string]any)
		if list, isList := all[name].([]any); isList {
			ok = true
			for _, v := range list {
				table, _ := v.(map[string]any)
				variants = append(variants, table)
			}
		}
		if !ok {
			variants = []map[string]any{table(all[name])}
		}
		for _, v := range variants {
			line, err := line(name, v, version)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			} else if line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines, errors.Join(errs...)
}

// table returns a version as the table that has it.
func table(value any) map[string]any {
	if t, ok := value.(map[string]any); ok {
		return t
	}
	return map[string]any{"version": value}
}

// line returns one requirement; empty for one that is optional.
func line(name string, t map[string]any, version func(string) (string, error)) (string, error) {
	for _, elsewhere := range []string{"git", "path", "file", "url", "hg", "svn"} {
		if t[elsewhere] != nil {
			return "", fmt.Errorf("it is of a %s: no lock can hold it; name a version, or copy its source into the service", elsewhere)
		}
	}
	if optional, _ := t["optional"].(bool); optional {
		return "", nil
	}
	text, _ := t["version"].(string)
	constraint, err := version(strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	if constraint == "*" {
		constraint = ""
	}
	line := name
	if extras, _ := t["extras"].([]any); len(extras) > 0 {
		var words []string
		for _, e := range extras {
			words = append(words, fmt.Sprint(e))
		}
		line += "[" + strings.Join(words, ",") + "]"
	}
	line += constraint
	if markers, _ := t["markers"].(string); markers != "" {
		line += " ; " + markers
	}
	return line, nil
}

var (
	release  = regexp.MustCompile(`^v?([0-9]+(?:\.[0-9]+)*)(.*)$`)
	operator = regexp.MustCompile(`^(===|==|!=|<=|>=|~=|<|>)\s*(.+)$`)
)

// poetryVersion returns Poetry's constraint as PEP 440 has it.
func poetryVersion(text string) (string, error) {
	var all []string
	if strings.Contains(text, "|") {
		return "", fmt.Errorf("version %q is a choice: name one", text)
	}
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' }) {
		one, err := poetryOne(strings.TrimSpace(part))
		if err != nil {
			return "", err
		}
		all = append(all, one)
	}
	return strings.Join(all, ","), nil
}

func poetryOne(text string) (string, error) {
	if text == "*" || text == "" {
		return "", nil
	}
	if m := operator.FindStringSubmatch(text); m != nil {
		return m[1] + m[2], nil
	}
	m := release.FindStringSubmatch(strings.TrimLeft(text, "^~ "))
	if m == nil {
		return "", fmt.Errorf("version %q is none that can be read", text)
	}
	parts := strings.Split(m[1], ".")
	fixed := 0 // of parts, how many are those that must not change
	switch text[0] {
	case '^':
		for fixed < len(parts)-1 && strings.Trim(parts[fixed], "0") == "" {
			fixed++
		}
	case '~':
		fixed = min(1, len(parts)-1)
	default:
		return "==" + text, nil
	}
	n, err := strconv.Atoi(parts[fixed])
	if err != nil {
		return "", fmt.Errorf("version %q: %w", text, err)
	}
	next := append(slices.Clone(parts[:fixed]), strconv.Itoa(n+1))
	return ">=" + m[1] + m[2] + ",<" + strings.Join(next, "."), nil
}
