package engine

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// Destination is where an image goes and what it is called there: what Push, Layout,
// Tar, Load or Keep returned, or a name with any other Output.
type Destination struct {
	// Name is the image's name and tag, such as "registry.example.com/lucid/base:v1.0.0".
	// Without a tag, the tag is latest.
	Name string
	// Tags are further ones in the same repository.
	Tags []string
	// Series is what the option Series says.
	Series bool
	// Output takes the image there.
	Output Output
}

// Output takes finished images somewhere. What a build sends to equal Outputs is
// delivered at once: its type must be comparable. An Output with a String method is
// shown by it while it works, such as "pushing".
type Output interface {
	// Check reports what would fail after the build before anything is built. The
	// images have names and no index yet.
	Check(ctx context.Context, d Delivery) error
	// Deliver takes the images where they belong. It is called when all images of the
	// build are there and fulfil their contracts, and again, with the same images, when
	// it failed and a blob of the cache turned out to be damaged.
	Deliver(ctx context.Context, d Delivery) error
}

// Delivery is images for one Output, and how it may reach others.
type Delivery struct {
	Images []Image
	// Transport reaches registries: it trusts the CA bundle, waits as they ask, and
	// leaves those that are silent.
	Transport http.RoundTripper

	step    func(line string)  // see Say
	tagged  func(tag name.Tag) // see Tagged
	lenders image.Lenders      // of earlier pushes
}

// Say shows a line among the steps of the build.
func (d Delivery) Say(line string) {
	if d.step != nil {
		d.step(line)
	}
}

// Tagged adds a tag that an image has got besides those that its job names to
// Result.Tags.
func (d Delivery) Tagged(tag name.Tag) {
	if d.tagged != nil {
		d.tagged(tag)
	}
}

// Image is an image by name.
type Image struct {
	Name name.Tag
	// Tags are further ones in the same repository.
	Tags []string
	// Series is that of its Destination.
	Series bool
	// Platforms that the image is for, of which there is at least one.
	Platforms []ocispecs.Platform
	// Index is the image itself, read from the engine's cache directory.
	Index v1.ImageIndex
}

// Push sends the image to a registry, with the user's own Docker credentials. ref is a
// name with a tag; without one, the tag is latest. The tags move when all images of the
// build have arrived. All of it is read back: what reports success for nothing is an
// error.
func Push(ref string, opts ...TagOption) Destination { return to(ref, registries{}, opts) }

// Layout writes the image to dir as an OCI image layout. ref is as for Push; the
// layout's index.json knows the image by its tags.
func Layout(dir, ref string, opts ...TagOption) Destination { return to(ref, layout{dir}, opts) }

// Keep leaves the image where it was built: Result.Index reads it from the engine's
// cache directory. ref is as for Push.
func Keep(ref string) Destination { return to(ref, kept{}, nil) }

func to(ref string, output Output, opts []TagOption) Destination {
	d := Destination{Name: ref, Output: output}
	for _, opt := range opts {
		opt(&d)
	}
	return d
}

// check fills in the tag that a name without one means.
func (to Destination) check() (Destination, error) {
	if to.Output == nil {
		return to, fmt.Errorf("To: missing; Push, Layout, Tar, Load or Keep")
	}
	tag, err := name.NewTag(to.Name)
	if err != nil {
		return to, fmt.Errorf("To: %w", err)
	}
	if !strings.HasSuffix(to.Name, ":"+tag.TagStr()) {
		to.Name += ":" + tag.TagStr()
	}
	return to.checkTags(tag)
}

// layout is the Output of Layout.
type layout struct{ dir string }

func (l layout) String() string { return "writing " + l.dir }

// Check reports a file in the directory's place, and two images for one layout.
func (l layout) Check(_ context.Context, d Delivery) error {
	if info, err := os.Stat(l.dir); err == nil && !info.IsDir() {
		return fmt.Errorf("To: %s is a file, not a directory", l.dir)
	}
	if len(d.Images) > 1 {
		return fmt.Errorf("To: %s: a layout of one image is asked for %d times", l.dir, len(d.Images))
	}
	return nil
}

// Deliver writes the one image.
func (l layout) Deliver(ctx context.Context, d Delivery) error {
	return image.WriteLayout(ctx, d.Images[0].Index, l.dir, d.Images[0].allTags()...)
}

// kept is the Output of Keep.
type kept struct{}

// Check finds nothing wrong.
func (kept) Check(context.Context, Delivery) error { return nil }

// Deliver does nothing.
func (kept) Deliver(context.Context, Delivery) error { return nil }
