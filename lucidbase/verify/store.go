package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
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
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(string(d), ".tmp-*")
	if err != nil {
		return err
	}
	var data bytes.Buffer
	err = gob.NewEncoder(&data).Encode(f)
	if err == nil {
		sum := crc32.Checksum(data.Bytes(), castagnoli)
		_, err = temp.Write(binary.BigEndian.AppendUint32(data.Bytes(), sum))
	}
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = replace(temp.Name(), d.path(f.DiffID))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// replace renames a file, even over a directory.
func replace(temp, path string) error {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return os.Rename(temp, path)
}
