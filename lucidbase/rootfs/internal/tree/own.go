package tree

import (
	"archive/tar"
	"crypto/sha256"
	"strings"
)

// Nonroot is the number of the images' user and group.
const Nonroot = 65532

// BundlePath is where update-ca-certificates writes its bundle.
const BundlePath = "etc/ssl/certs/ca-certificates.crt"

// InitProgram is where every base has an init.
const InitProgram = "usr/bin/tini"

// DocDir is where documentation and licences lie.
const DocDir = "usr/share/doc/"

// Us stands in errors where a package's name would.
const Us = "lucidbase"

// Directories are those that base-files makes when it is installed, and the
// user's own.
func Directories() []*Entry {
	var out []*Entry
	dir := func(mode int64, owner int, names ...string) {
		for _, name := range names {
			out = append(out, &Entry{Name: name, From: Us, Kind: tar.TypeDir, Mode: mode, UID: owner, GID: owner})
		}
	}
	dir(0o755, 0, "media", "mnt", "opt", "srv", "usr/local", "usr/local/bin", "usr/local/lib", "usr/local/share")
	dir(0o1777, 0, "tmp", "var/tmp")
	dir(0o755, Nonroot, "app")
	dir(0o700, Nonroot, "home/nonroot")
	return out
}

// Users returns the accounts and how names are looked up.
func Users() []*Entry {
	return []*Entry{
		File("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n"+
			"nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"+
			"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
		File("etc/group", "root:x:0:\nstaff:x:50:\nnobody:x:65534:\nnonroot:x:65532:\n"),
		File("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\n"+
			"protocols: files\nservices: files\nethers: files\nrpc: files\n"),
	}
}

// File is one of ours.
func File(name, text string) *Entry {
	return &Entry{Name: name, From: Us, Kind: tar.TypeReg, Mode: 0o644, Content: &Content{
		Data: strings.NewReader(text),
		Size: int64(len(text)),
		Sum:  sha256.Sum256([]byte(text)),
	}}
}
