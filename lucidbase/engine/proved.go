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

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// proved remembers which images fulfil which contracts, so that an image that did
// not change is not judged again. Judging is a function of the image, the contract
// and the rules.
type proved struct {
	dir string
	// rules identifies the rules; empty means that they are not known, and nothing is
	// remembered.
	rules string
}

func (e *Engine) proved() proved { return proved{e.options.factsDir(), rules()} }

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

// key names an image and what it is held to.
func (p proved) key(img *image.Image, graphs []graph) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	var contracts []verify.Contract
	for _, g := range graphs {
		contracts = append(contracts, g.contract)
	}
	for _, part := range []any{p.rules, verify.FactsFormat, img.Digest, contracts} {
		if err := enc.Encode(part); err != nil {
			panic(err) // strings, numbers and structs of them always encode
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (p proved) file(key string) string { return filepath.Join(p.dir, key+".proved") }

// has reports whether the image was found to fulfil the contracts.
func (p proved) has(key string) bool {
	if p.rules == "" {
		return false
	}
	data, err := os.ReadFile(p.file(key))
	return err == nil && strings.TrimSpace(string(data)) == key
}

// add remembers a proof. That it cannot be kept costs the next build a judgement, and
// nothing else.
func (p proved) add(key string) {
	if p.rules != "" {
		_ = os.WriteFile(p.file(key), []byte(key+"\n"), 0o600)
	}
}
