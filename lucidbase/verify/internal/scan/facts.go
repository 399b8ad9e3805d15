package scan

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

// Facts are what Scan finds in one layer: all that the rules ask for, and nothing
// that grows with the size of a file. The same layer has the same facts.
type Facts struct {
	// Format is Format of the library that wrote the facts.
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

// Format is the version of Facts: a store's facts of another version are
// made again. It changes with whatever Scan looks at.
const Format = 5

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
	// line, as pip and uv write it; "?" when only a shell can find it.
	Trampoline string
	// Content says of an executable, and of what is named like a library, that it is
	// something else, such as "a zip archive"; empty for ELF files and scripts.
	Content string
	// Program names what an executable is by its content when that is something
	// that an image must not hold, such as "busybox", "bash" or "upx".
	Program string
	// Secrets are what looks like credentials in the content.
	Secrets []secrets.Secret
	// ELF is set for a file that starts with the ELF magic.
	ELF *elf.File
	// Text is the content of the few small files that rules read, such as
	// pyvenv.cfg, *.pth, /etc/passwd, /etc/ld.so.conf; at most 64 KiB.
	Text string
	// Packages are those that a package database lists: dpkg's status and
	// status.d, apk's installed.
	Packages []Package
	// Distribution is set for the METADATA of a *.dist-info and the PKG-INFO of an
	// *.egg-info.
	Distribution *python.Distribution
	// Record is set for the RECORD of a *.dist-info; RecordOdd says what in it is not
	// written as the specification has it.
	Record    []python.RecordEntry
	RecordOdd []string
	// WheelTags are the Tag lines of the WHEEL of a *.dist-info.
	WheelTags []string
	// Bytecode is set for a *.pyc.
	Bytecode *python.Bytecode
	// SourceHash is set for a *.py: what a hash-based .pyc has of it (PEP 552),
	// with CPython 3.11's key, 16 hexadecimal digits.
	SourceHash string
	// Module is set for a Python source that is not in a directory of installed modules,
	// for a script that Python runs, and for the __init__.py of an installed package
	// that has modules without files.
	Module *pysource.Module
	// Problem says why the content could not be read as what its name or magic
	// claims, such as a damaged ELF file or a RECORD that is too large.
	Problem string
}

// Package is an installed package of the operating system.
type Package struct {
	Name    string
	Version string
	// Manager is "dpkg" or "apk".
	Manager string
}
