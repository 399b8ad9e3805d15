package overlay

// Hit is a finding before its rule's words are added.
type Hit struct {
	Path  string
	Layer int // index of the layer; -1 for none
	Found string
	// Fix is what to do where the rule's own words do not fit; mostly empty.
	Fix string
}

// AtConfig is one hit at a field of the config, or at what else no layer holds.
func AtConfig(field, found string) []Hit {
	return []Hit{{Path: field, Layer: -1, Found: found}}
}

// FixedBy adds what to do about a hit for which the rule's fix is the wrong advice.
func (h Hit) FixedBy(fix string) Hit {
	h.Fix = fix
	return h
}

// WithFix adds the same remedy to several hits.
func WithFix(hits []Hit, fix string) []Hit {
	for i := range hits {
		hits[i].Fix = fix
	}
	return hits
}
