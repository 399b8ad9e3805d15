package explain

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// control is a choice between two options that exclude each other, for all
// packages or by name; the last one wins. It is pip's FormatControl.
type control [2]map[string]Line

const (
	everything = ":all:"
	nothing    = ":none:"
)

func (c *control) init() {
	if c[0] == nil {
		c[0], c[1] = map[string]Line{}, map[string]Line{}
	}
}

// add takes a value of the option that is the control's first or second.
func (c *control) add(which int, value string, from Line) {
	c.init()
	listed := strings.Split(value, ",")
	for {
		i := slices.Index(listed, everything)
		if i < 0 {
			break
		}
		clear(c[0])
		clear(c[1])
		c[which][everything] = from
		if listed = listed[i+1:]; !slices.Contains(listed, nothing) {
			return
		}
	}
	for _, name := range listed {
		if name = strings.TrimSpace(name); name == nothing {
			clear(c[which])
		} else if name != "" {
			delete(c[1-which], names.Normalize(name))
			c[which][names.Normalize(name)] = from
		}
	}
}

// of returns the line by which the control's first or second option holds for a
// package.
func (c *control) of(which int, name string) (from Line, ok bool) {
	if from, ok = c[which][name]; ok {
		return from, true
	}
	if _, other := c[1-which][name]; other {
		return Line{}, false
	}
	from, ok = c[which][everything]
	return from, ok
}
