package file

import (
	"errors"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/variants"
)

// validate reports what makes no sense in a service at the place in the file that says
// it. What depends on a platform is for the service's Graph to say.
func (d *decoder) validate(n *yaml.Node, s variants.Service) {
	for _, err := range each(s.Validate()) {
		at := n
		if wrong := (*variants.FieldError)(nil); errors.As(err, &wrong) {
			if found := valueOf(n, wrong.Field); found != nil {
				at = found
			} else if found := valueOf(d.sections["defaults"], wrong.Field); found != nil {
				at = found
			}
		}
		d.at(at, "%w", err)
	}
}

// each returns the errors that one is made of.
func each(err error) (all []error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			all = append(all, each(one)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// valueOf returns the value of a service's field, such as "Source[0].To", or the closest
// around it; nil where the key is not there.
func valueOf(n *yaml.Node, field string) *yaml.Node {
	field, rest, _ := strings.Cut(field, ".")
	field, index, listed := strings.Cut(strings.TrimSuffix(field, "]"), "[")
	found := child(n, strings.ToLower(field))
	if found == nil {
		return nil
	}
	if i, err := strconv.Atoi(index); listed && err == nil && found.Kind == yaml.SequenceNode && i < len(found.Content) {
		found = found.Content[i]
	}
	if inner := child(found, strings.ToLower(rest)); inner != nil {
		return inner
	}
	return found
}

// child returns the value of a key, nil for none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
