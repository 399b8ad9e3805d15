package lucidbase

import "io/fs"

// Local is a directory of the client, which a graph names with llb.Local. What is
// sent of it has fixed owners and modes, and does not depend on times: a file may be
// executable, and is so for all. Directories without files are left out, as in Git.
type Local struct {
	// Dir is the directory's path; a relative one is below the program's working
	// directory. What the nearest .dockerignore names is left out: its own, or that of a
	// directory above it in the same Git repository.
	Dir string
	// FS is a file system in Dir's place, such as an embed.FS.
	FS fs.FS
	// Include are patterns of what is sent, written as in a .dockerignore; none means
	// everything.
	Include []string
	// Exclude are patterns of what is left out besides.
	Exclude []string
}

// String returns the directory's path.
func (l Local) String() string {
	if l.FS != nil {
		return "file system"
	}
	return l.Dir
}
