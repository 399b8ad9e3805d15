package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/lock/resolve"
)

// ownFlags are the flags of a lock of one's own requirements.
type ownFlags struct {
	list    string
	out     string
	targets []string
	check   bool
	// suggest writes a corrected list beside one that cannot be locked.
	suggest bool
}

// outFile is where the lock goes: beside the list unless told otherwise.
func (o ownFlags) outFile() string {
	if o.out != "" {
		return o.out
	}
	return strings.TrimSuffix(o.list, filepath.Ext(o.list)) + ".lock.txt"
}

func (o ownFlags) validate() error {
	for _, t := range o.targets {
		if !slices.Contains(lock.WheelTargets(), t) {
			return usagef("--target %q: not one of %s", t, strings.Join(lock.WheelTargets(), ", "))
		}
	}
	if filepath.Clean(o.outFile()) == filepath.Clean(o.list) {
		return usagef("--output %s: that is the list itself", o.out)
	}
	return nil
}

// lockOwn resolves a list and writes its lock, and the sources beside it.
func lockOwn(ctx context.Context, s Streams, eng *engine.Engine, o ownFlags) error {
	set, err := lock.Default()
	if err != nil {
		return err
	}
	in, err := lock.DefaultInputs()
	if err != nil {
		return err
	}
	name, files, err := readList(o.list)
	if err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	now, err := resolveOwn(ctx, s, eng, set, o, resolve.Request{
		Name: name, Files: files, Targets: o.targets, Libraries: in.Debian.Libraries,
	})
	if err != nil {
		return err
	}
	dir, base := filepath.Split(o.outFile())
	if dir == "" {
		dir = "."
	}
	old := readOwn(s, dir, base)
	changes := resolve.OwnChanges(old, now)
	printLines(s.Out, "", changes)
	printLines(s.Err, "lucidbase: ", resolve.Compiled(now.Sources))
	switch {
	case o.check && len(changes) > 0:
		return errStale
	case len(changes) == 0:
		fmt.Fprintln(s.Err, "lucidbase: the lock is up to date")
	}
	if o.check {
		return nil
	}
	return writeOwn(dir, base, filepath.Base(o.list), now)
}

// readOwn reads an earlier lock; none, or a broken one, is an empty one.
func readOwn(s Streams, dir, base string) resolve.Locked {
	reqs, sources, err := lock.ReadRequirements(os.DirFS(dir), base)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(s.Err, "lucidbase: resolving from nothing: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return resolve.Locked{Requirements: reqs, Sources: sources}
}

func writeOwn(dir, base, list string, l resolve.Locked) error {
	header := fmt.Sprintf("# Written by \"lucidbase lock -r %s\"; edit that file instead.\n", list)
	files := map[string][]byte{base: append([]byte(header), l.Requirements.Format()...)}
	beside := lock.SourcesBeside(base)
	if len(l.Sources) == 0 {
		return errors.Join(writeFiles(dir, files), removeStale(filepath.Join(dir, beside)))
	}
	files[beside] = append([]byte(header), l.Sources.Format()...)
	return writeFiles(dir, files)
}

// removeStale removes a lock's file that a resolution has no use for any more.
func removeStale(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a lock that is out of use: %w", err)
	}
	return nil
}

var includeLine = regexp.MustCompile(`(?m)^[ \t]*(?:-r|-c|--requirement|--constraint)[ \t=]*([^\s#]+)`)

// readList reads a list and the files that it includes, by their paths below the
// directory that holds them all. An include that is not there is left to uv,
// which names it.
func readList(list string) (name string, files map[string][]byte, err error) {
	if list, err = filepath.Abs(list); err != nil {
		return "", nil, err
	}
	found := map[string][]byte{}
	if found[list], err = readText(list); err != nil {
		return "", nil, err
	}
	for queue := []string{list}; len(queue) > 0; queue = queue[1:] {
		for _, m := range includeLine.FindAllSubmatch(bytes.ReplaceAll(found[queue[0]], []byte("\r"), nil), -1) {
			file := filepath.Join(filepath.Dir(queue[0]), string(m[1]))
			if data, err := readText(file); err == nil && found[file] == nil {
				found[file] = data
				queue = append(queue, file)
			}
		}
	}
	root := filepath.Dir(list)
	for file := range found {
		for !strings.HasPrefix(file, strings.TrimSuffix(root, "/")+"/") {
			root = filepath.Dir(root)
		}
	}
	files = map[string][]byte{}
	for _, file := range slices.Sorted(maps.Keys(found)) {
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return "", nil, err
		}
		files[filepath.ToSlash(rel)] = found[file]
		if file == list {
			name = filepath.ToSlash(rel)
		}
	}
	return name, files, nil
}

// readText reads a file as UTF-8, whatever its byte order mark says.
func readText(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), data)
	return text, err
}
