package engine

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/buildkit/solver/pb"
	srctypes "github.com/moby/buildkit/source/types"
	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// built remembers which image was made of which graphs, once it has fulfilled its
// contracts: where the graphs, the contracts and the rules are the same, the image is,
// and nothing has to be solved or judged.
type built struct {
	dir string
	// rules identifies the rules; empty means that they are not known, and nothing is
	// remembered.
	rules string
}

func (e *Engine) built() built { return built{e.options.builtDir(), rules()} }

// builtDir keeps the digests of images by what they were made of.
func (o options) builtDir() string { return filepath.Join(o.cacheDir, "built") }

// rules is the identity of this program, which has the rules in it: the build ID that
// Go's linker makes of everything that went in. It is empty where there is none, and
// on systems whose programs are not ELF.
var rules = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	program, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer program.Close()
	note := program.Section(".note.go.buildid")
	if note == nil {
		return ""
	}
	data, err := note.Data()
	if err != nil || len(data) < noteHeader {
		return ""
	}
	return strings.Trim(string(data[noteHeader:]), "\x00")
})

// noteHeader is the size of a note's three numbers and of its name, "Go".
const noteHeader = 16

// key identifies everything that an image follows from. It is empty where that is not
// known.
func (b built) key(job Job, graphs []graph) string {
	if b.rules == "" {
		return ""
	}
	parts := []any{b.rules, verify.FactsFormat, image.Compression(job.Compression).ID()}
	for _, g := range graphs {
		if !pinned(g) {
			return ""
		}
		parts = append(parts, g.platform, g.definition.Def, g.config, g.contract, g.locals.digest())
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, part := range parts {
		if err := enc.Encode(part); err != nil {
			panic(err) // strings, numbers and structs of them always encode
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// pinned reports whether a graph makes the same files whenever it is solved: each of its
// sources is named by digest or was read, and no step wants to run every time.
func pinned(g graph) bool {
	for _, meta := range g.definition.Metadata {
		if meta.IgnoreCache {
			return false
		}
	}
	for _, data := range g.definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil || op.GetBuild() != nil {
			return false
		}
		if source := op.GetSource(); source != nil && !pinnedSource(source, g.locals) {
			return false
		}
	}
	return true
}

func pinnedSource(source *pb.SourceOp, read locals) bool {
	scheme, name, _ := strings.Cut(source.Identifier, "://")
	switch scheme {
	case srctypes.DockerImageScheme, srctypes.OCIScheme:
		return strings.Contains(name, "@sha256:")
	case srctypes.HTTPScheme, srctypes.HTTPSScheme:
		return source.Attrs[pb.AttrHTTPChecksum] != ""
	case srctypes.LocalScheme:
		return read[name] != nil
	}
	return false
}

func (b built) file(key string) string { return filepath.Join(b.dir, key) }

// find returns the digest of the image that has the key, or an empty one.
func (b built) find(key string) digest.Digest {
	if key == "" {
		return ""
	}
	data, err := os.ReadFile(b.file(key))
	if err != nil {
		return ""
	}
	found, err := digest.Parse(strings.TrimSpace(string(data)))
	if err != nil {
		return "" // a power cut may leave a part
	}
	checked.Touch(b.file(key))
	return found
}

// add remembers an image. That it cannot be kept costs the next build some time, and
// nothing else.
func (b built) add(key string, d digest.Digest) {
	if key != "" && os.MkdirAll(b.dir, 0o700) == nil {
		_ = os.WriteFile(b.file(key), []byte(d.String()+"\n"), 0o600)
	}
}
