package verify

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
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
	im *image
	d  *distInfo
	// hits are those at the RECORD itself; byCause those of files, of which many are
	// summed up.
	hits    []hit
	byCause map[string][]hit
	// directories are lines for one.
	directories []string
}

// record compares the lines of a RECORD with the files. Bytecode in __pycache__ is
// made where it is installed; Python does without, and has a rule of its own.
func (im *image) record(d *distInfo) []hit {
	f := d.record.content()
	if f.Problem != "" {
		return []hit{d.record.hit(f.Problem).fixedBy(fixRecord)}
	}
	c := &recordCheck{im: im, d: d, byCause: map[string][]hit{}}
	for _, odd := range f.RecordOdd {
		c.odd(odd)
	}
	var paths []string
	lines := map[string][]RecordEntry{}
	for _, line := range f.Record {
		at, ok := d.place(strings.TrimRight(line.Path, "/"))
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
	if lines[d.at+"/METADATA"] == nil {
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
	c.hits = append(c.hits, c.d.record.hit(found).fixedBy(fixRecord))
}

// path judges one path and all lines for it; installers may write more than one.
func (c *recordCheck) path(at string, lines []RecordEntry) {
	if path.Ext(at) == ".pyc" && path.Base(path.Dir(at)) == "__pycache__" || at == c.d.at+"/METADATA" && c.d.metadata == nil {
		return
	}
	switch n := c.im.lookup(at); {
	case n == nil:
		c.add("not in the image", hit{path: at, layer: c.d.record.layer, found: "listed in the RECORD of " + c.d.String() + ", not in the image", fix: fixMissing})
	case n.entry == nil || n.entry.Kind == Directory:
		c.directories = append(c.directories, at)
	case n.entry.content().Kind != Regular || c.im.overwritten(at):
	case path.Dir(at) == c.d.at && strings.HasPrefix(path.Base(at), "RECORD"): // it can have no hash of itself
	default:
		c.file(n.entry, lines)
	}
}

// file compares a file with its lines.
func (c *recordCheck) file(e *entry, lines []RecordEntry) {
	of := " in the RECORD of " + c.d.String()
	sums, hashed := map[string]bool{}, false
	for _, line := range lines {
		hashed = hashed || line.Hash != ""
		if s := line.sha256(); s != "" {
			sums[s] = true
		}
	}
	if len(sums) > 1 {
		c.add("different hashes in two lines", e.hit("different hashes in two lines"+of).fixedBy(fixRecord))
		return
	}
	for _, line := range lines {
		if cause, fix := differs(e.content(), line); cause != "" {
			c.add(cause, e.hit(cause+of+c.im.recorded().others(e.at, c.d)).fixedBy(fix))
			return
		}
	}
	for _, line := range lines {
		if line.Size >= 0 && line.Size != e.content().Size {
			c.add("another size", e.hit(fmt.Sprintf("it has %d bytes, not the %d", e.content().Size, line.Size)+of))
			return
		}
	}
	if ext := path.Ext(e.at); !hashed && (ext == ".py" || ext == ".so") {
		c.add("no hash", e.hit("no hash"+of).fixedBy(fixRecord))
	}
}

func (c *recordCheck) add(cause string, h hit) { c.byCause[cause] = append(c.byCause[cause], h) }

// summedUp makes one finding of many files of one cause: that is how the distribution
// was treated, not what happened to a file.
func (c *recordCheck) summedUp() []hit {
	var hits []hit
	for _, cause := range slices.Sorted(maps.Keys(c.byCause)) {
		of := c.byCause[cause]
		if len(of) <= several {
			hits = append(hits, of...)
			continue
		}
		slices.SortFunc(of, func(a, b hit) int { return strings.Compare(a.path, b.path) })
		hits = append(hits, c.d.record.hit(fmt.Sprintf("%d files that it lists: %s, such as %s", len(of), cause, of[0].path)).fixedBy(of[0].fix))
	}
	return hits
}

// strong are the hashes that the specification allows, as hashlib has them.
var strong = strings.Fields("sha256 sha384 sha512 blake2b blake2s sha3_256 sha3_384 sha3_512")

// differs compares a file with a line's hash. Facts have SHA-256 alone: other hashes
// are believed.
func differs(f *File, line RecordEntry) (cause, fix string) {
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
