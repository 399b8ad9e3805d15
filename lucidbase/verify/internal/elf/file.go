package elf

// File is what a dynamic loader reads of a file.
type File struct {
	// Type is "exec", "dyn", "rel" or "core" (e_type), "debug" for a file that has
	// only debugging information of another, or a number. Only the first two can be
	// run or loaded.
	Type string
	// Machine is the platform's architecture as OCI spells it, "amd64" or "arm64",
	// or ELF's own number for others: "EM_386", "EM_1234". Class and byte order
	// other than 64-bit little-endian are spelled after it: "EM_ARM 32-bit".
	Machine string
	// Executable is set for programs, not for shared libraries: ET_EXEC, or ET_DYN with an
	// interpreter or DF_1_PIE.
	Executable bool
	// Interpreter is the loader's path, PT_INTERP.
	Interpreter string
	Soname      string
	Needed      []string
	// RPath and RunPath are split at colons, "$ORIGIN" left as it is.
	RPath   []string
	RunPath []string
	// Requires are the symbol versions needed, by library (DT_VERNEED), weak ones
	// left out.
	Requires []SymbolVersion
	// Provides are the symbol versions defined (DT_VERDEF).
	Provides []string
	// Align is the smallest p_align of the LOAD segments, in bytes; 0 without any.
	Align uint64
	// ExecStack is set when PT_GNU_STACK is executable, or missing from a program
	// for which the kernel then makes the stack executable.
	ExecStack bool
	// WritableCode is set when a LOAD segment is writable and executable at once.
	WritableCode bool
}

// SymbolVersion is a version that a file needs of a library.
type SymbolVersion struct {
	Library string
	Version string
}
