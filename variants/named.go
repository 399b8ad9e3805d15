package variants

import "strings"

// named are the base images by their names, each with a shorter one.
var named = []struct {
	name, alias string
	with        func(Options) Base
}{
	{"base", "standard", func(o Options) Base { return Standard(o) }},
	{"python-base", "python", func(o Options) Base { return Python(o) }},
	{"alpine-base", "alpine", func(o Options) Base { return Alpine(o) }},
	{"bare-base", "bare", func(o Options) Base { return Bare(o) }},
}

// Named returns the base image of a name that "lucidbase build" knows, such as
// "python-base" or, shorter, "python", and with "-dev" its twin; nil if there is none.
func Named(name string, o Options) Base {
	if of, ok := strings.CutSuffix(name, "-dev"); ok {
		if b := Named(of, o); b != nil {
			return Dev{b}
		}
	}
	for _, b := range named {
		if name == b.name || name == b.alias {
			return b.with(o)
		}
	}
	return nil
}

// Names lists the names that Named takes, without those of twins: services can stand on
// these images.
func Names() []string {
	var names []string
	for _, b := range named {
		names = append(names, b.name, b.alias)
	}
	return names
}
