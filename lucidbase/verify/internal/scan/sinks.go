package scan

import (
	"errors"
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/programs"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

// elfSink reads an ELF file at its end.
type elfSink struct{ spool }

func (e *elfSink) finish(f *File) error {
	parsed, err := elf.Parse(e.reader(), e.size)
	f.ELF = parsed
	if err != nil {
		f.Problem = "ELF file: " + err.Error()
	}
	return nil
}

// programSink looks for programs that an image must not hold.
type programSink struct{ *programs.Finder }

func (s programSink) write(p []byte) error { s.Add(p); return nil }

func (s programSink) finish(f *File) error { f.Program = s.Found(f.ELF); return nil }

// secretSink looks for credentials.
type secretSink struct{ *secrets.Finder }

func (s secretSink) write(p []byte) error { s.Add(p); return nil }

func (s secretSink) finish(f *File) error {
	found := s.Found()
	// Libraries test themselves with keys that everybody has, as libgnutls does.
	if library := f.ELF != nil && !f.ELF.Executable; !library {
		f.Secrets = append(f.Secrets, found...)
	}
	return nil
}

// sourceSink hashes a Python source.
type sourceSink struct{ *python.SourceHash }

func (s sourceSink) write(p []byte) error { s.Add(p); return nil }

func (s sourceSink) finish(f *File) error { f.SourceHash = s.Sum(); return nil }

func keepMetadata(f *File, data []byte) (err error) {
	f.Distribution, err = python.ParseMetadata(data)
	return err
}

func keepWheel(f *File, data []byte) error {
	f.WheelTags = python.ParseWheelTags(data)
	return nil
}

func (s *scanner) keepRecord(f *File, data []byte) error {
	r, lines, err := python.ParseRecord(data, s.limits.recordLines-s.records)
	s.records += lines
	f.Record, f.RecordOdd = r.Entries, r.Odd
	if errors.Is(err, python.ErrTooManyLines) {
		return fmt.Errorf("more than %d lines in all RECORD files", s.limits.recordLines)
	}
	return err
}
