// Package deploy writes what runs services: an overlay for a Compose file, a Compose
// file, or Kubernetes objects. Each has the image by digest, and all that the image can
// run with and no more: its user, a read-only root file system, no capabilities.
package deploy

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// References are references with a digest, such as "lucid/gateway:v1@sha256:...", by
// the services' names: of each the engine.Result.Ref.
type References map[string]string

// member is a service with what is known of its image.
type member struct {
	variants.Service
	image  string
	config dockerspec.DockerOCIImageConfig
	// volumes are the directories that can be written to, in order; /tmp is another.
	volumes []volume
}

type volume struct{ name, dir string }

// members returns the services in the order of their names, and reports all that is
// wrong with any.
func members(services []variants.Service, images References) ([]member, error) {
	var errs []error
	var all []member
	for i, s := range services {
		if slices.ContainsFunc(services[:i], func(o variants.Service) bool { return o.Name == s.Name }) {
			errs = append(errs, fmt.Errorf("%s: two services have this name", s.Name))
			continue
		}
		image := images[s.Name]
		if err := checkImage(image); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
		config, err := config(s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		m := member{Service: s, image: image, config: config}
		if m.volumes, err = m.writable(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.Name, b.Name) })
	return all, errors.Join(errs...)
}

// config returns how the image is run, which depends neither on its platform nor on
// what an upstream image holds.
func config(s variants.Service) (dockerspec.DockerOCIImageConfig, error) {
	p := lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64}
	g, err := s.Graph(p)
	var ask *lucidbase.UnresolvedUpstreamError
	if errors.As(err, &ask) {
		layer := lock.Layer{Digest: ask.Upstream.Digest} // any will do
		held := map[string]lock.UpstreamPlatform{lucidbase.FormatPlatform(p.Target): {Rootfs: layer, Headers: layer}}
		p.Upstreams = lucidbase.Upstreams{ask.Upstream.Digest: {Platforms: held}}
		g, err = s.Graph(p)
	}
	return g.Config.Config, err
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// writable names the directories that the image says can be written to.
func (m member) writable() ([]volume, error) {
	all := []volume{{"tmp", "/tmp"}}
	for _, dir := range slices.Sorted(maps.Keys(union(m.Writable, m.config.Volumes))) {
		name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(dir), "-"), "-")
		if name == "" {
			return nil, fmt.Errorf("Writable: %s has no letter or digit to name a volume by", dir)
		}
		if i := slices.IndexFunc(all, func(v volume) bool { return v.name == name }); i >= 0 {
			return nil, fmt.Errorf("Writable: the volumes of %s and %s would have the same name, %s", all[i].dir, dir, name)
		}
		all = append(all, volume{name, dir})
	}
	return all[1:], nil
}

func union(dirs []string, set map[string]struct{}) map[string]struct{} {
	all := map[string]struct{}{}
	maps.Copy(all, set)
	for _, dir := range dirs {
		all[dir] = struct{}{}
	}
	return all
}

func checkImage(image string) error {
	if image == "" {
		return errors.New("no image is known: it is not among those that were built")
	}
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return fmt.Errorf("image %q: %w", image, err)
	}
	if _, ok := ref.(reference.Digested); !ok {
		return fmt.Errorf("image %s: it has no digest", image)
	}
	return nil
}

// ports are those that the service listens on, each once.
func (m member) ports() []int {
	var all []int
	for _, port := range append([]int{m.Port}, m.Ports...) {
		if port != 0 && !slices.Contains(all, port) {
			all = append(all, port)
		}
	}
	return all
}
