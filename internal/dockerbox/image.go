package dockerbox

import (
	"context"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// repository is where Docker has the images that ran: a name of one is this, its host name
// and a part of its config's digest.
const repository = "lucidtest"

// unusedTime is after which time an image is removed that nobody has run.
const unusedTime = 14 * 24 * time.Hour

// load puts an image into Docker, unless it is there, and returns its name.
func (b *Box) load(ctx context.Context, img v1.Image) (string, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	digest, err := img.ConfigName()
	if err != nil {
		return "", err
	}
	tag, err := name.NewTag(path.Join(repository, sandbox.HostName(config.Config)) + ":" + digest.Hex[:24])
	if err != nil {
		return "", err
	}
	ref := tag.String()
	if err := b.use(ctx, ref); !is(err, http.StatusNotFound) {
		return ref, err
	}
	p := ocispecs.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	to := engine.LoadInto(engine.DockerStore, ref).Output
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add:        img,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}},
	})
	d := engine.Delivery{Images: []engine.Image{{Name: tag, Platforms: []ocispecs.Platform{p}, Index: index}}}
	if err := to.Check(ctx, d); err != nil {
		return "", err
	}
	if err := to.Deliver(ctx, d); err != nil {
		return "", err
	}
	return ref, b.use(ctx, ref)
}

// use notes that an image is used: Docker keeps the time of the last tag.
func (b *Box) use(ctx context.Context, ref string) error {
	repo, tag, _ := strings.Cut(ref, ":")
	return b.api.call(ctx, http.MethodPost, "/images/"+ref+"/tag"+query("repo", repo, "tag", tag), nil, nil)
}

// sweepImages removes the names of images that nobody has used for long, and what nobody
// has by another name.
func (b *Box) sweepImages(ctx context.Context) {
	var images []struct{ RepoTags []string }
	if b.api.call(ctx, http.MethodGet, "/images/json?"+filters("reference", repository+"/*"), nil, &images) != nil {
		return
	}
	for _, img := range images {
		for _, ref := range img.RepoTags {
			var found struct {
				Metadata struct{ LastTagTime time.Time }
			}
			if !strings.HasPrefix(ref, repository+"/") || b.api.call(ctx, http.MethodGet, "/images/"+ref+"/json", nil, &found) != nil {
				continue
			}
			if at := found.Metadata.LastTagTime; !at.IsZero() && time.Since(at) > unusedTime {
				_ = b.api.call(ctx, http.MethodDelete, "/images/"+ref, nil, nil) // one that runs stays
			}
		}
	}
}
