package engine

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Output is where an image goes: what Push or Layout gave.
type Output interface {
	// check finds what would fail after the build before it.
	check() error
	// name is the image by name and tag, as it was given.
	name() string
}

// Push sends the image to a registry, with the user's own Docker credentials.
// ref is a name with a tag; without one, the tag is latest. All of it is read back:
// what reports success for nothing is an error.
func Push(ref string) Output { return pushOutput{withTag(ref)} }

// Layout writes the image to dir as an OCI image layout. ref is as for Push; the
// layout's index.json knows the image by its tag.
func Layout(dir, ref string) Output { return layoutOutput{dir, withTag(ref)} }

// withTag adds the tag that a name without one means.
func withTag(ref string) string {
	if tag, err := name.NewTag(ref); err == nil && !strings.HasSuffix(ref, ":"+tag.TagStr()) {
		return ref + ":" + tag.TagStr()
	}
	return ref
}

type pushOutput struct{ ref string }

func (o pushOutput) name() string { return o.ref }

func (o pushOutput) check() error {
	_, err := parseTag(o.ref)
	return err
}

type layoutOutput struct{ dir, ref string }

func (o layoutOutput) name() string { return o.ref }

func (o layoutOutput) check() error {
	if info, err := os.Stat(o.dir); err == nil && !info.IsDir() {
		return fmt.Errorf("To: %s is a file, not a directory", o.dir)
	}
	_, err := parseTag(o.ref)
	return err
}

func parseTag(ref string) (name.Tag, error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return name.Tag{}, fmt.Errorf("To: %w", err)
	}
	return tag, nil
}
