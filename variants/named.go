package variants

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
// "python-base" or, shorter, "python"; nil if there is none.
func Named(name string, o Options) Base {
	for _, b := range named {
		if name == b.name || name == b.alias {
			return b.with(o)
		}
	}
	return nil
}

// Names lists the names that Named takes.
func Names() []string {
	var names []string
	for _, b := range named {
		names = append(names, b.name, b.alias)
	}
	return names
}
