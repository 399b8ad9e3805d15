package rules

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Remedies where a file's content is not at fault.
const (
	fixRecord   = "write RECORD as pip, uv and installer do, or install the wheel with one of them"
	fixMissing  = "install it again in an empty directory, and remove nothing of it afterwards"
	fixNoRecord = "install it with pip, uv or another installer that writes RECORD, and keep its dist-info"
	fixPlanted  = "remove it, or put it into a package of its own"
	fixHook     = "remove it, or install it as a part of a distribution whose RECORD lists it"
)

// recordCheck compares a RECORD with the files.
type recordCheck struct {
	im *overlay.Image
	d  *overlay.DistInfo
	// hits are those at the RECORD itself; byCause those of files, of which many are
	// summed up.
	hits    []overlay.Hit
	byCause map[string][]overlay.Hit
	// directories are lines for one.
	directories []string
}

// record compares the lines of a RECORD with the files. Bytecode in __pycache__ is
// made where it is installed; Python does without, and has a rule of its own.
func record(im *overlay.Image, d *overlay.DistInfo) []overlay.Hit {
	f := d.Record.Content()
	if f.Problem != "" {
		return []overlay.Hit{d.Record.Hit(f.Problem).FixedBy(fixRecord)}
	}
	c := &recordCheck{im: im, d: d, byCause: map[string][]overlay.Hit{}}
	for _, odd := range f.RecordOdd {
		c.odd(odd)
	}
	var paths []string
	lines := map[string][]python.RecordEntry{}
	for _, line := range f.Record {
		at, ok := d.Place(strings.TrimRight(line.Path, "/"))
		if !ok {
			c.odd("it lists " + line.Path + ", which leads out of the root")
			continue
		}
		if lines[at] == nil {
			paths = append(paths, at)
		}
		lines[at] = append(lines[at], line)
	}
	for _, at := range paths {
		c.path(at, lines[at])
	}
	if n := len(c.directories); n > 0 {
		c.odd(fmt.Sprintf("it lists %s: RECORD is for files alone", counted(n, "directory", "directories", c.directories[0])))
	}
	if lines[d.At+"/METADATA"] == nil {
		c.odd("it does not list METADATA, which every distribution has")
	}
	return append(c.hits, c.summedUp()...)
}

func counted(n int, one, many, example string) string {
	if n == 1 {
		return "a " + one + ", " + example
	}
	return fmt.Sprintf("%d %s, such as %s", n, many, example)
}

func (c *recordCheck) odd(found string) {
	c.hits = append(c.hits, c.d.Record.Hit(found).FixedBy(fixRecord))
}

// path judges one path and all lines for it; installers may write more than one.
func (c *recordCheck) path(at string, lines []python.RecordEntry) {
	if path.Ext(at) == ".pyc" && path.Base(path.Dir(at)) == "__pycache__" || at == c.d.At+"/METADATA" && c.d.Metadata == nil {
		return
	}
	switch n := c.im.Lookup(at); {
	case n == nil:
		c.add("not in the image", overlay.Hit{Path: at, Layer: c.d.Record.Layer, Found: "listed in the RECORD of " + c.d.String() + ", not in the image", Fix: fixMissing})
	case n.Entry == nil || n.Entry.Kind == scan.Directory:
		c.directories = append(c.directories, at)
	case n.Entry.Content().Kind != scan.Regular || c.im.Overwritten(at):
	case path.Dir(at) == c.d.At && strings.HasPrefix(path.Base(at), "RECORD"): // it can have no hash of itself
	default:
		c.file(n.Entry, lines)
	}
}

// file compares a file with its lines.
func (c *recordCheck) file(e *overlay.Entry, lines []python.RecordEntry) {
	of := " in the RECORD of " + c.d.String()
	sums, hashed := map[string]bool{}, false
	for _, line := range lines {
		hashed = hashed || line.Hash != ""
		if s := line.SHA256(); s != "" {
			sums[s] = true
		}
	}
	if len(sums) > 1 {
		c.add("different hashes in two lines", e.Hit("different hashes in two lines"+of).FixedBy(fixRecord))
		return
	}
	for _, line := range lines {
		if cause, fix := differs(e.Content(), line); cause != "" {
			c.add(cause, e.Hit(cause+of+c.im.Records().Others(e.At, c.d)).FixedBy(fix))
			return
		}
	}
	for _, line := range lines {
		if line.Size >= 0 && line.Size != e.Content().Size {
			c.add("another size", e.Hit(fmt.Sprintf("it has %d bytes, not the %d", e.Content().Size, line.Size)+of))
			return
		}
	}
	if ext := path.Ext(e.At); !hashed && (ext == ".py" || ext == ".so") {
		c.add("no hash", e.Hit("no hash"+of).FixedBy(fixRecord))
	}
}

func (c *recordCheck) add(cause string, h overlay.Hit) {
	c.byCause[cause] = append(c.byCause[cause], h)
}

// summedUp makes one finding of many files of one cause: that is how the distribution
// was treated, not what happened to a file.
func (c *recordCheck) summedUp() []overlay.Hit {
	var hits []overlay.Hit
	for _, cause := range slices.Sorted(maps.Keys(c.byCause)) {
		of := c.byCause[cause]
		if len(of) <= overlay.Several {
			hits = append(hits, of...)
			continue
		}
		slices.SortFunc(of, func(a, b overlay.Hit) int { return strings.Compare(a.Path, b.Path) })
		hits = append(hits, c.d.Record.Hit(fmt.Sprintf("%d files that it lists: %s, such as %s", len(of), cause, of[0].Path)).FixedBy(of[0].Fix))
	}
	return hits
}

// strong are the hashes that the specification allows, as hashlib has them.
var strong = strings.Fields("sha256 sha384 sha512 blake2b blake2s sha3_256 sha3_384 sha3_512")

// differs compares a file with a line's hash. Facts have SHA-256 alone: other hashes
// are believed.
func differs(f *scan.File, line python.RecordEntry) (cause, fix string) {
	algorithm, sum, _ := strings.Cut(line.Hash, "=")
	algorithm = strings.ToLower(algorithm)
	switch {
	case line.Hash == "" || algorithm == "sha256" && sum == f.SHA256:
		return "", ""
	case algorithm == "md5" || algorithm == "sha1": // not allowed
		return "only a broken hash (" + algorithm + ")", fixRecord
	case !slices.Contains(strong, algorithm):
		return fmt.Sprintf("a hash of an unknown kind (%q)", algorithm[:min(len(algorithm), 20)]), fixRecord
	case algorithm != "sha256":
		return "", ""
	}
	if raw, err := base64.RawURLEncoding.DecodeString(sum); err != nil || len(raw) != 32 {
		return "a hash that is no SHA-256", fixRecord
	}
	return "its content is not what its hash says", ""
}
