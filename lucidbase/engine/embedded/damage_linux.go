package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

// BuildKit's state is a cache: when it is damaged, it is made again as a whole. Its
// databases have no checksums and refer to one another, so an engine that ends in good
// order writes down what they are, and the next one compares. After a kill there is
// nothing to compare with; the databases withstand that. They do not withstand a
// machine that goes down: they reach the disk before the files that they list.

const (
	sumsFile = "sums" // a line for each database: its checksum and its name
	openFile = "open" // while BuildKit runs: the machine's boot

	damagedFile = "damaged" // why the next start begins with nothing
	stderrFile  = "stderr"  // what BuildKit's process wrote, which is nothing unless it crashes
)

// errDamaged says that BuildKit's state is of no use.
var errDamaged = errors.New("damaged")

// summed are the databases and whatever else BuildKit believes without a check.
func summed(root string) ([]string, error) {
	var all []string
	for _, pattern := range []string{"*.db", "*/*.db", "*/*/*.db", "*/workerid"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// leaveState is called when the databases are closed.
func leaveState(root string) error {
	sums, err := sumsOf(root)
	if err == nil {
		err = os.WriteFile(filepath.Join(root, sumsFile), sums, 0o600)
	}
	return errors.Join(err, os.Remove(filepath.Join(root, openFile)))
}

// enterState is called before the databases are opened. It is an errDamaged when
// they are not what the last engine left. After a kill, it removes what no database
// knows.
func enterState(root string) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("reading the machine's boot: %w", err)
	}
	last, err := os.ReadFile(filepath.Join(root, openFile))
	killed := err == nil
	if killed && !bytes.Equal(last, boot) {
		return fmt.Errorf("%w: the machine went down while it was in use", errDamaged)
	}
	if err := checkSums(root); err != nil {
		return err
	}
	if killed {
		if err := sweepSnapshots(root); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(root, openFile), boot, 0o600)
}

// sweepSnapshots makes the directories of snapshots what the snapshotters' databases
// say. Both snapshotters rename a directory before they commit its record; the next
// snapshot gets the same number, and cannot be renamed to where a killed one is.
func sweepSnapshots(root string) error {
	databases, err := filepath.Glob(filepath.Join(root, "*", "snapshots", "metadata.db"))
	if err != nil {
		return err
	}
	for _, database := range databases {
		known, err := snapshotIDs(database)
		if err != nil {
			return fmt.Errorf("%w: reading %s: %w", errDamaged, database, err)
		}
		dir := filepath.Join(filepath.Dir(database), "snapshots")
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			id, removing := strings.CutPrefix(e.Name(), "rm-") // the native snapshotter's
			switch {
			case known[id] && removing:
				err = os.Rename(path, filepath.Join(dir, id))
			case !known[id]:
				err = os.RemoveAll(path)
			}
			if err != nil {
				return fmt.Errorf("cleaning up after a kill: %w", err)
			}
		}
	}
	return nil
}

// snapshotIDs returns the names of the directories that a snapshotter's database has.
func snapshotIDs(database string) (_ map[string]bool, err error) {
	store, err := storage.NewMetaStore(database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ids := map[string]bool{}
	err = store.WithTransaction(context.Background(), false, func(ctx context.Context) error {
		keys, err := storage.IDMap(ctx)
		for id := range keys {
			ids[id] = true
		}
		return err
	})
	if errdefs.IsNotFound(err) { // it was never written to
		err = nil
	}
	return ids, err
}

func sumsOf(root string) ([]byte, error) {
	files, err := summed(root)
	if err != nil {
		return nil, err
	}
	var sums bytes.Buffer
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&sums, "%08x %s\n", h.Sum32(), name)
	}
	return sums.Bytes(), nil
}

// checkSums compares the databases with what their last user wrote down, and
// removes that: from now on they change.
func checkSums(root string) error {
	path := filepath.Join(root, sumsFile)
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	got, err := sumsOf(root)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !bytes.Equal(want, got) {
		return fmt.Errorf("%w: %s changed since its last use", errDamaged, strings.Join(differing(want, got), ", "))
	}
	return os.Remove(path)
}

// differing names the files of lines that only one side has.
func differing(want, got []byte) (names []string) {
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for _, line := range append(slices.Clone(a), b...) {
		_, name, ok := strings.Cut(line, " ")
		if ok && slices.Contains(a, line) != slices.Contains(b, line) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// knownDamage returns why the state is to be made again, or nothing. The caller
// holds the lock.
func knownDamage(root string) (string, error) {
	reason, err := os.ReadFile(filepath.Join(root, damagedFile))
	if err == nil {
		return oneLine(string(reason)), nil
	}
	crash := crashOf(root)
	if crash == "" {
		return "", nil
	}
	crash = "BuildKit's process crashed on it: " + crash
	return crash, noteDamage(root, crash) // the next process writes over the crash
}

// noteDamage makes the next start begin with nothing.
func noteDamage(root, reason string) error {
	path := filepath.Join(root, damagedFile)
	if err := onlyFile(path); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(reason), 0o600)
}

// crashed is how Go begins the end of a process. Want of memory is not the
// state's fault; nonsense in a database is a panic or a fault.
var crashed = regexp.MustCompile(`(?m)^(panic: .*|fatal error: .*|unexpected fault address .*)$`)

// crashOf returns the first line of the last process's crash, if it crashed.
func crashOf(root string) string {
	text, err := os.ReadFile(filepath.Join(root, stderrFile))
	line := string(crashed.Find(text))
	if err != nil || strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate") {
		return ""
	}
	return oneLine(line)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// inUse are not part of the state that can be damaged.
var inUse = []string{lockFile, ownerFile, socketFile, stderrFile, damagedFile, filepath.Base(memoryDir(""))}

// removeDamaged empties a directory that is marked as damaged. The mark goes
// last: whoever is killed meanwhile leaves it for the next.
func removeDamaged(root string) error {
	if _, err := os.Lstat(filepath.Join(root, damagedFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains(inUse, e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
			return fmt.Errorf("removing damaged state: %w", err)
		}
	}
	return os.RemoveAll(filepath.Join(root, damagedFile))
}

// machine are errors for which the state is not to blame.
var machine = []error{unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.ENOMEM, unix.EMFILE, unix.ENFILE, unix.EPERM, unix.EACCES}

// blamesState reports whether an error at BuildKit's start is due to its state.
func blamesState(err error) bool {
	return !slices.ContainsFunc(machine, func(m error) bool { return errors.Is(err, m) })
}

// What a build says when something is missing or wrong below the state directory.
var (
	wrongContent = regexp.MustCompile(`unexpected commit (digest|size)|wrong diff id|failed to get reader from content store|invalid checksum|invalid desc |unexpected end of JSON`)
	lost         = regexp.MustCompile(`(?i)(sha256:[0-9a-f]{64}|snapshot|lease|content|blob)\b[^"\n]*: (not found|does not exist)|missing descriptor|parent snapshot`)
	badFile      = regexp.MustCompile(`no such file or directory|not a directory|is a directory|input/output error|structure needs cleaning|unexpected EOF|invalid argument|bad message`)
	// exitCode is of a step that ran: whatever it says, it is the step's own.
	exitCode = regexp.MustCompile(`did not complete successfully: exit code: \d+`)
)

// damagedBy reports whether a build's error is due to the state in root. BuildKit
// passes on errors as text.
func damagedBy(root, text string) bool {
	if exitCode.MatchString(text) {
		return false
	}
	return wrongContent.MatchString(text) || lost.MatchString(text) ||
		strings.Contains(text, root+"/") && badFile.MatchString(text)
}
