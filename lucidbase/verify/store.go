package verify

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Store keeps facts by diff ID.
type Store interface {
	// Load gives the facts of a layer; ok is false when there are none, or none of
	// this FactsFormat.
	Load(ctx context.Context, diffID v1.Hash) (f Facts, ok bool)
	// Save keeps facts.
	Save(ctx context.Context, f Facts) error
}

// Memory is a Store that lasts as long as itself. Its zero value is empty.
type Memory struct{ m sync.Map }

// Load gives what Save kept.
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

// Dir is a Store in a directory: one file a layer, written aside and renamed.
type Dir string

func (d Dir) path(diffID v1.Hash) string {
	return filepath.Join(string(d), diffID.Algorithm+"-"+diffID.Hex+".gob")
}

// Load reads a layer's file; one that is broken or of another format counts for
// nothing.
func (d Dir) Load(_ context.Context, diffID v1.Hash) (f Facts, ok bool) {
	file, err := os.Open(d.path(diffID))
	if err != nil {
		return Facts{}, false
	}
	defer file.Close()
	if gob.NewDecoder(bufio.NewReader(file)).Decode(&f) != nil || f.Format != FactsFormat || f.DiffID != diffID {
		return Facts{}, false
	}
	now := time.Now()
	_ = os.Chtimes(file.Name(), now, now) // what is used is pruned last
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
	w := bufio.NewWriter(temp)
	err = errors.Join(gob.NewEncoder(w).Encode(f), w.Flush(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), d.path(f.DiffID))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
