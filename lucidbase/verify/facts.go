package verify

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Facts are what Scan finds in one layer: all that the rules ask for, and nothing
// that grows with the size of a file. The same layer gives the same facts.
type Facts struct {
	// Format is FactsFormat of the library that wrote the facts.
	Format int
	// DiffID is the digest of the tar that was read, whatever a config says.
	DiffID v1.Hash
	// Blob is the digest by which the layer was asked for; it is what ties kept
	// facts to the bytes that they were made from. Zero when there was none.
	Blob v1.Hash
	// MediaType is the layer's own.
	MediaType types.MediaType
	// Compression is what the blob is by its first bytes: "gzip", "zstd" or "none".
	// Scan does not see the blob: ScanAll adds it.
	Compression string
	// Size is the number of bytes of the tar.
	Size int64
	// Files are the tar's entries in its order. A path may come twice: the later
	// one is what a container sees, and both are in the image.
	Files []File
}

// FactsFormat is the version of Facts: a store's facts of another version are
// made again. It changes with whatever Scan looks at.
const FactsFormat = 3

// Kind is what an entry of a layer is.
type Kind string

// The kinds of entries. Whiteout deletes the path of lower layers, Opaque all
// that lower layers have below it (OCI image-spec, layer.md, "Whiteouts").
const (
	Regular   Kind = "file"
	Directory Kind = "dir"
	Symlink   Kind = "link"
	Hardlink  Kind = "hardlink"
	CharDev   Kind = "char"
	BlockDev  Kind = "block"
	FIFO      Kind = "fifo"
	Whiteout  Kind = "whiteout"
	Opaque    Kind = "opaque"
)

// File is one entry of a layer.
type File struct {
	// Path is absolute and clean: "/usr/bin/python3.11". A whiteout has the path
	// that it deletes, an opaque one its directory's.
	Path string
	Kind Kind
	// Mode is the permission bits with setuid (0o4000), setgid (0o2000) and sticky
	// (0o1000).
	Mode uint32
	UID  int
	GID  int
	Size int64
	// ModTime is in seconds since 1970.
	ModTime int64
	// Link is a symbolic link's target as written, or a hard link's as a path like
	// Path.
	Link string
	// Xattrs are the names of extended attributes, sorted: "security.capability".
	Xattrs []string
	// SHA256 is that of a regular file's content in the form of RECORD:
	// URL-safe base64 without padding.
	SHA256 string
	// Shebang is the first line of a script behind "#!", trimmed; one that is longer
	// than the 253 bytes that the kernel reads has 254.
	Shebang string
	// Trampoline is the interpreter that a script of a shell starts in its second
	// line, as pip and uv write it; "?" when only a shell can tell.
	Trampoline string
	// Content says of an executable, and of what is named like a library, that it is
	// something else, such as "a zip archive"; empty for ELF files and scripts.
	Content string
	// Program names what an executable is by its content when that is something
	// that an image must not hold, such as "busybox", "bash" or "upx".
	Program string
	// Secrets are what looks like credentials in the content.
	Secrets []Secret
	// ELF is set for a file that starts with the ELF magic.
	ELF *ELF
	// Text is the content of the few small files that rules read, such as
	// pyvenv.cfg, *.pth, /etc/passwd, /etc/ld.so.conf; at most 64 KiB.
	Text string
	// Packages are those that a package database lists: dpkg's status and
	// status.d, apk's installed.
	Packages []Package
	// Distribution is set for the METADATA of a *.dist-info and the PKG-INFO of an
	// *.egg-info.
	Distribution *Distribution
	// Record is set for the RECORD of a *.dist-info; RecordOdd says what in it is not
	// written as the specification has it.
	Record    []RecordEntry
	RecordOdd []string
	// WheelTags are the Tag lines of the WHEEL of a *.dist-info.
	WheelTags []string
	// Bytecode is set for a *.pyc.
	Bytecode *Bytecode
	// SourceHash is set for a *.py: what a hash-based .pyc has of it (PEP 552),
	// with CPython 3.11's key, 16 hexadecimal digits.
	SourceHash string
	// Problem says why the content could not be read as what its name or magic
	// claims, such as a damaged ELF file or a RECORD that is too large.
	Problem string
}

// Secret is something in a file that looks like a credential. It never holds
// the credential.
type Secret struct {
	// Kind says what it is: "PEM private key".
	Kind string
	// Line counts from 1.
	Line int
}

// ELF is what a dynamic loader reads of a file.
type ELF struct {
	// Type is "exec", "dyn", "rel" or "core" (e_type), "debug" for a file that has
	// only debugging information of another, or a number. Only the first two can be
	// run or loaded.
	Type string
	// Machine is the platform's architecture as OCI spells it, "amd64" or "arm64",
	// or ELF's own number for others: "EM_386", "EM_1234". Class and byte order
	// other than 64-bit little-endian are spelled after it: "EM_ARM 32-bit".
	Machine string
	// Executable tells programs from shared libraries: ET_EXEC, or ET_DYN with an
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

// Package is an installed package of the operating system.
type Package struct {
	Name    string
	Version string
	// Manager is "dpkg" or "apk".
	Manager string
}

// Distribution is an installed Python distribution's core metadata.
type Distribution struct {
	// Name is as written; Version too.
	Name    string
	Version string
	// Requires are the Requires-Dist lines.
	Requires []string
	// Python is Requires-Python.
	Python string
}

// RecordEntry is a line of RECORD.
type RecordEntry struct {
	// Path is as written: relative to the directory that holds the dist-info, or
	// absolute.
	Path string
	// Hash is "sha256=" and URL-safe base64 without padding, or empty.
	Hash string
	// Size is -1 when the line has none.
	Size int64
}

// Bytecode is the header of a .pyc (PEP 552).
type Bytecode struct {
	// Magic is the interpreter's number: 3495 for CPython 3.11.
	Magic int
	// Hash is the source's for a hash-based file, 16 hexadecimal digits; else empty.
	Hash string
	// MTime and Size are the source's otherwise.
	MTime int64
	Size  int64
}
