package lucidtest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/lucid-project/base-images/lucidbase"
)

// Built is an image with assertions. Each of them ends the test where it does not
// hold.
type Built struct {
	v1.Image
	t testing.TB
}

// Image builds a Spec's image for this machine, or for the Platform.
func Image(t testing.TB, spec lucidbase.Spec, opts ...Option) *Built {
	t.Helper()
	return &Built{Image: build(t, spec, newOptions(opts).target()), t: t}
}

func (b *Built) config() *v1.ConfigFile {
	b.t.Helper()
	config, err := b.ConfigFile()
	if err != nil {
		b.t.Fatalf("reading the image: %v", err)
	}
	return config
}

// Env asserts the value of an environment variable.
func (b *Built) Env(name, value string) {
	b.t.Helper()
	for _, entry := range slices.Backward(b.config().Config.Env) {
		if got, ok := strings.CutPrefix(entry, name+"="); ok {
			if got != value {
				b.t.Fatalf("the image's variable %s is %q, not %q", name, got, value)
			}
			return
		}
	}
	b.t.Fatalf("the image has no variable %s", name)
}

// User asserts the user that the image runs as.
func (b *Built) User(user string) {
	b.t.Helper()
	if got := b.config().Config.User; got != user {
		b.t.Fatalf("the image's user is %q, not %q", got, user)
	}
}

// SizeUnder asserts that all layers together have fewer compressed bytes.
func (b *Built) SizeUnder(bytes int64) {
	b.t.Helper()
	manifest, err := b.Manifest()
	if err != nil {
		b.t.Fatalf("reading the image: %v", err)
	}
	var size int64
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	if size >= bytes {
		b.t.Fatalf("the image has %d bytes in %d layers, not under %d", size, len(manifest.Layers), bytes)
	}
}

// NoFile asserts that the image has no file, directory or link of a path.
func (b *Built) NoFile(name string) {
	b.t.Helper()
	if slices.Contains(b.files(), clean(name)) {
		b.t.Fatalf("the image has %s", name)
	}
}

// HasDistribution asserts that a Python distribution is installed, of one version
// unless that is empty. Names are compared as Python compares them.
func (b *Built) HasDistribution(name, version string) {
	b.t.Helper()
	var found []string
	for _, file := range b.files() {
		info, isMetadata := strings.CutSuffix(file, ".dist-info/METADATA")
		if !isMetadata {
			continue
		}
		gotName, gotVersion, _ := strings.Cut(path.Base(info), "-")
		if normalize(gotName) == normalize(name) {
			if version == "" || gotVersion == version {
				return
			}
			found = append(found, gotVersion)
		}
	}
	if len(found) > 0 {
		b.t.Fatalf("the image has %s %s, not %s", name, strings.Join(found, " and "), version)
	}
	b.t.Fatalf("the image has no distribution %s", name)
}

var separators = regexp.MustCompile(`[-_.]+`)

// normalize is the rule of the Python packaging guide's "Name normalization".
func normalize(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}

func clean(name string) string { return strings.TrimPrefix(path.Join("/", name), "/") }

// files lists the paths in the image, without a leading slash.
func (b *Built) files() []string {
	b.t.Helper()
	rc := mutate.Extract(b.Image)
	defer rc.Close()
	names, err := tarNames(rc)
	if err != nil {
		b.t.Fatalf("reading the image's layers: %v", err)
	}
	return names
}

func tarNames(r io.Reader) (names []string, err error) {
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d files: %w", len(names), err)
		}
		names = append(names, clean(h.Name))
	}
}
