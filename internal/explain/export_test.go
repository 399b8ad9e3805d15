package explain

// StandardLibrarySize is how many names the table has.
func StandardLibrarySize() int { return len(stdlib) }

// OptionCount is how many options the rules have.
func OptionCount() int { return len(rules) }
