package python

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// Environment has the values of the variables that a marker may name, such as
// "python_version": "3.11". The extra that is asked for is "extra".
type Environment map[string]string

// Marker is a condition of PEP 508.
type Marker struct {
	// any holds when one of them does; each holds when all of its parts do.
	any [][]condition
}

// condition is a comparison, or a marker in parentheses.
type condition struct {
	sub         *Marker
	left, right operand
	op          string
}

// operand is a variable's name or a text.
type operand struct {
	text     string
	variable bool
}

var (
	variable = regexp.MustCompile(`^(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)` +
		`|platform[._](?:version|machine|python_implementation)|python_implementation|implementation_(?:name|version)` +
		`|extras?|dependency_groups)\b`)
	quoted     = regexp.MustCompile(`^(?:'[^']*'|"[^"]*")`)
	comparator = regexp.MustCompile(`^(?:===|==|~=|!=|<=|>=|<|>|in\b|not[ \t]+in\b)`)
	or         = regexp.MustCompile(`^or\b`)
	and        = regexp.MustCompile(`^and\b`)
)

// ParseMarker reads a marker alone: what stands behind a requirement's semicolon.
func ParseMarker(s string) (*Marker, error) {
	p := &parser{rest: s}
	m, err := p.marker()
	if err == nil && p.rest != "" {
		err = errors.New("something behind the marker")
	}
	if err != nil {
		return nil, fmt.Errorf("marker %q: at byte %d: %w", s, len(s)-len(p.rest), err)
	}
	return m, nil
}

// maxDepth is of parentheses; real markers have three.
const maxDepth = 100

func (p *parser) marker() (*Marker, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("too many parentheses")
	}
	defer func() { p.depth-- }()
	m := &Marker{any: make([][]condition, 1)}
	for {
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		last := len(m.any) - 1
		m.any[last] = append(m.any[last], c)
		p.space()
		switch {
		case p.take(and) != "":
		case p.take(or) != "":
			m.any = append(m.any, nil)
		default:
			return m, nil
		}
	}
}

func (p *parser) condition() (c condition, err error) {
	p.space()
	if p.literal("(") {
		if c.sub, err = p.marker(); err == nil && !p.literal(")") {
			err = errors.New("no closing parenthesis")
		}
		return c, err
	}
	if c.left, err = p.operand(); err != nil {
		return c, err
	}
	p.space()
	if c.op = p.take(comparator); c.op == "" {
		return c, errors.New("no operator")
	}
	if strings.HasPrefix(c.op, "not") {
		c.op = "not in"
	}
	p.space()
	c.right, err = p.operand()
	return c, err
}

func (p *parser) operand() (operand, error) {
	if name := strings.ReplaceAll(p.take(variable), ".", "_"); name != "" {
		if name == "python_implementation" { // its name before PEP 508
			name = "platform_python_implementation"
		}
		return operand{name, true}, nil
	}
	if text := p.take(quoted); text != "" {
		return operand{text[1 : len(text)-1], false}, nil
	}
	return operand{}, errors.New("neither a variable nor a quoted text")
}

// Holds evaluates a marker. A variable that env does not have is an error, as is
// an operator that makes no sense, such as "~=" on os_name.
func (m *Marker) Holds(env Environment) (bool, error) {
	holds := false
	for _, conditions := range m.any {
		all := true
		for _, c := range conditions {
			ok, err := c.holds(env)
			if err != nil {
				return false, err
			}
			all = all && ok
		}
		holds = holds || all
	}
	return holds, nil
}

func (c condition) holds(env Environment) (bool, error) {
	if c.sub != nil {
		return c.sub.Holds(env)
	}
	left, right, key := c.left.text, c.right.text, c.left.text
	value := &left
	if !c.left.variable {
		key, value = right, &right
	}
	v, ok := env[key]
	if !ok {
		return false, fmt.Errorf("marker: nothing is known of %q", key)
	}
	*value = v
	return compare(key, left, c.op, right)
}

// compare follows PEP 508: versions where the variable is one and the other side
// can be read as one, else texts.
func compare(key, left, op, right string) (bool, error) {
	switch key {
	case "extra":
		left, right = names.Normalize(left), names.Normalize(right)
	case "implementation_version", "platform_release", "python_full_version", "python_version":
		text := strings.TrimSpace(op + right)
		if spec, n, err := parseSpecifier(text); err == nil && n == len(text) {
			return Specifiers{spec}.Contain(left), nil
		}
	}
	switch op {
	case "in":
		return strings.Contains(right, left), nil
	case "not in":
		return !strings.Contains(right, left), nil
	case "==", "<=", ">=":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "<", ">":
		return false, nil // texts have no order
	}
	return false, fmt.Errorf("marker: %s makes no sense for %s", op, key)
}
