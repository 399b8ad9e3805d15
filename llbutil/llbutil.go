// Package llbutil helps to write BuildKit graphs: what goes in and what comes
// out are types of client/llb.
package llbutil

import (
	"io/fs"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/offer"
)

// StoredImage is an image in the client's content store, as a source. name is
// for people; the manifest's digest decides.
func StoredImage(name string, manifest digest.Digest, p ocispecs.Platform) llb.State {
	return llb.OCILayout("lucid.invalid/"+name+"@"+manifest.String(),
		llb.OCIStore("", offer.StoreID),
		llb.Platform(p),
		llb.WithCustomName(name+" "+p.Architecture))
}

// File is a file system that holds one file, for a read-only mount.
func File(name string, mode fs.FileMode, content []byte, p ocispecs.Platform) llb.State {
	return llb.Scratch().File(
		llb.Mkfile("/"+name, mode, content), llb.Platform(p), llb.WithCustomName(name))
}
