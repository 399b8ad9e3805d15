package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
)

// Store keeps facts by diff ID.
type Store interface {
	// Load returns the facts of a layer; ok is false when there are none, or none of
	// this FactsFormat.
	Load(ctx context.Context, diffID v1.Hash) (f Facts, ok bool)
	// Save keeps facts.
	Save(ctx context.Context, f Facts) error
}

// Memory is a Store that lasts as long as itself. Its zero value is empty.
type Memory struct{ m sync.Map }

// Load returns what Save kept.
func (s *Memory) Load(_ context.Context, diffID v1.Hash) (Facts, bool) {
	f, ok := s.m.Load(diffID)
	if !ok {
		return Facts{}, false
	}
	return f.(Facts), true
}

// Save keeps facts.
func (s *Memory) Save(_ context.Context, f Facts) error {
	s.m.Store(f.DiffID, f)
	return nil
}

// Dir is a Store in a directory: one file a layer, written aside and renamed, with
// a checksum at its end: a flipped bit can be well-formed and a finding.
type Dir string

func (d Dir) path(diffID v1.Hash) string {
	return filepath.Join(string(d), diffID.Algorithm+"-"+diffID.Hex+".gob")
}

// Load reads a layer's file; one that is broken or of another format counts for
// nothing.
func (d Dir) Load(_ context.Context, diffID v1.Hash) (f Facts, ok bool) {
	path := d.path(diffID)
	data, err := os.ReadFile(path)
	if err != nil || len(data) < crc32.Size {
		return Facts{}, false
	}
	data, sum := data[:len(data)-crc32.Size], data[len(data)-crc32.Size:]
	if binary.BigEndian.Uint32(sum) != crc32.Checksum(data, castagnoli) {
		return Facts{}, false
	}
	if gob.NewDecoder(bytes.NewReader(data)).Decode(&f) != nil || f.Format != FactsFormat || f.DiffID != diffID {
		return Facts{}, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // what is used is pruned last
	return f, true
}

// Save writes a layer's file.
func (d Dir) Save(_ context.Context, f Facts) error {
	if err := d.save(f); err != nil {
		return fmt.Errorf("keeping facts of layer %s: %w", f.DiffID, err)
	}
	return nil
}

func (d Dir) save(f Facts) error {
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(f); err != nil {
		return err
	}
	file, err := atomicfile.Create(string(d))
	if err != nil {
		return err
	}
	defer file.Close()
	sum := crc32.Checksum(data.Bytes(), castagnoli)
	if _, err := file.Write(binary.BigEndian.AppendUint32(data.Bytes(), sum)); err != nil {
		return err
	}
	return file.Keep(d.path(f.DiffID))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
