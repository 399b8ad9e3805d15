// Package scan reads a layer once, as a stream, and returns its Facts: what the rules
// ask for of each file. A reader of its own knows each kind of content (packages elf,
// python, programs, secrets); none of them sees a layer.
package scan

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// Layer reads a layer once, as a stream, and returns its facts. Its memory grows
// with the number of files, not with their size; ELF files above 8 MiB go through
// a temporary file. A layer that is no tar, or that exceeds what any real one
// has, is an error that names the entry; a file whose content is not what its
// name claims is no error but has a Problem.
func Layer(ctx context.Context, layer v1.Layer) (Facts, error) {
	return read(ctx, layer, realLimits)
}

func read(ctx context.Context, layer v1.Layer, limits limits) (Facts, error) {
	mediaType, err := layer.MediaType()
	if err != nil {
		return Facts{}, fmt.Errorf("reading the media type: %w", err)
	}
	content, err := layer.Uncompressed()
	if err != nil {
		return Facts{}, fmt.Errorf("opening: %w", err)
	}
	stream := newStream(ctx, content)
	defer stream.stop()
	s := &scanner{
		Facts:  Facts{Format: Format, MediaType: mediaType},
		limits: limits,
		in:     &budget{r: stream, limits: limits, blob: layer.Size},
	}
	if err := s.walk(); err != nil {
		return Facts{}, err
	}
	s.DiffID, s.Size = stream.sum()
	return s.Facts, nil
}

// scanner is one layer's Scan.
type scanner struct {
	Facts
	limits limits
	in     *budget
	file   fileReader
	// records counts the lines of all RECORD files, modules the bytes of all Modules.
	records, modules int
}

// walk reads the tar's entries, then what is behind them: it belongs to the diff
// ID.
func (s *scanner) walk() error {
	tr := tar.NewReader(s.in)
	last := "the first entry"
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the tar after %s: %w", last, err)
		}
		last = printable.Quote(h.Name)
		if len(s.Files) >= s.limits.entries {
			return fmt.Errorf("entry %s: more than %d entries", last, s.limits.entries)
		}
		if err := s.entry(h, tr); err != nil {
			return fmt.Errorf("entry %s: %w", last, err)
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(s.in, s.limits.trailing+1))
	if err == nil && n > s.limits.trailing {
		err = fmt.Errorf("more than %d bytes", s.limits.trailing)
	}
	if err != nil {
		return fmt.Errorf("reading what is behind the tar's end: %w", err)
	}
	return nil
}

// entry adds the facts of one entry.
func (s *scanner) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // a comment, as git archive writes it
	}
	f, err := newFile(h, s.limits)
	if err != nil {
		return err
	}
	if f.Kind == Regular {
		if err := s.in.content(h.Size); err != nil {
			return err
		}
		if err := s.file.read(&f, content, s); err != nil {
			return err
		}
	}
	s.Files = append(s.Files, f)
	return nil
}
