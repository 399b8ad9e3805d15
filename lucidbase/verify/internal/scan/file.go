package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/programs"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

// sink takes a file's content piece by piece, then says what it found. A piece
// is only good until write returns.
type sink interface {
	write(p []byte) error
	finish(f *File) error
}

// fileReader reads regular files, one after the other.
type fileReader struct {
	buf []byte
	sha hash.Hash
	// memory is where ELF files are read to.
	memory []byte
}

// read hashes a file and shows it to all sinks that its name and first bytes ask
// for. An error is one of reading; a file that is not what it claims has a
// Problem.
func (r *fileReader) read(f *File, content io.Reader, s *scanner) error {
	if r.buf == nil {
		r.buf, r.sha = make([]byte, BlockSize), sha256.New()
	}
	r.sha.Reset()
	n, err := fill(content, r.buf)
	sinks := r.sinks(f, r.buf[:n], s)
	defer closeSinks(sinks)
	for {
		r.sha.Write(r.buf[:n])
		for _, sink := range sinks {
			if err := sink.write(r.buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the content: %w", err)
		}
		n, err = fill(content, r.buf)
	}
	f.SHA256 = base64.RawURLEncoding.EncodeToString(r.sha.Sum(nil))
	for _, sink := range sinks {
		if err := sink.finish(f); err != nil {
			return err
		}
	}
	return nil
}

func closeSinks(sinks []sink) {
	for _, sink := range sinks {
		if c, ok := sink.(io.Closer); ok {
			_ = c.Close() // a temporary file that was only read
		}
	}
}

func (r *fileReader) sinks(f *File, head []byte, s *scanner) []sink {
	var sinks []sink
	if bytes.HasPrefix(head, []byte("#!")) {
		f.Shebang, f.Trampoline = programs.Shebang(head), programs.Trampoline(head)
	}
	if f.Mode&0o111 != 0 || strings.Contains(path.Base(f.Path), ".so") {
		f.Content = programs.Content(head)
	}
	if bytes.HasPrefix(head, []byte(elf.Magic)) {
		// Before the programs: what a file is depends on whether it can run.
		sinks = append(sinks, &elfSink{spool: spool{limit: s.limits.memory, memory: &r.memory}})
	}
	if p := programs.NewFinder(head); p != nil {
		sinks = append(sinks, programSink{p})
	}
	if k := keptFile(f.Path, s); k != nil {
		sinks = append(sinks, k)
	}
	if m := moduleOf(f, s); m != nil {
		sinks = append(sinks, m)
	}
	switch path.Ext(f.Path) {
	case ".pyc":
		f.Bytecode, f.Problem = python.ParseBytecode(head)
	case ".py":
		sinks = append(sinks, sourceSink{python.NewSourceHash()})
	}
	return append(sinks, secretSink{secrets.NewFinder(f.Path, head)})
}
