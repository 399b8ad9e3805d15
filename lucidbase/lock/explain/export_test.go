package explain

// StandardLibrarySize is how many names the table has.
func StandardLibrarySize() int { return len(stdlib) }
