package scan

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// spool keeps a file's content for random access: in memory up to a limit, a
// larger one in a temporary file that has no name any more.
type spool struct {
	limit int
	// memory is shared between files; it is theirs one after the other.
	memory *[]byte
	size   int64
	file   *os.File
}

func (s *spool) write(p []byte) error {
	if s.size == 0 {
		*s.memory = (*s.memory)[:0]
	}
	s.size += int64(len(p))
	if s.file == nil && s.size <= int64(s.limit) {
		*s.memory = append(*s.memory, p...)
		return nil
	}
	if s.file == nil {
		if err := s.spill(); err != nil {
			return fmt.Errorf("making a temporary file: %w", err)
		}
	}
	if _, err := s.file.Write(p); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	return nil
}

func (s *spool) spill() error {
	f, err := os.CreateTemp("", "lucidbase-verify-*")
	if err != nil {
		return err
	}
	s.file = f
	// Where an open file cannot be removed, Close does it.
	_ = os.Remove(f.Name())
	_, err = f.Write(*s.memory)
	return err
}

func (s *spool) reader() io.ReaderAt {
	if s.file != nil {
		return s.file
	}
	return bytes.NewReader(*s.memory)
}

// Close removes the temporary file.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	_ = os.Remove(s.file.Name())
	return err
}
