package variants

import (
	"maps"
	"slices"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
)

// LockDigestLabel names the label that holds the digest of the locks that an
// image was made from.
const LockDigestLabel = "io.github.lucid-project.lock.digest"

// user is numeric, so that Kubernetes' runAsNonRoot accepts it.
const user = "65532:65532"

// entrypoint is Debian's init, tini: the kernel keeps signals from process 1 that it
// has no handler for, so that "docker stop" of a plain script would take ten seconds,
// and orphans stay zombies unless process 1 waits for them. Its option -s is left out,
// as QEMU does not know it; TINI_VERBOSITY turns off what tini says where another
// process is the first.
var entrypoint = []string{"/usr/bin/tini", "--"}

// config returns the image's configuration with one history entry a layer; a
// missing entry would be filled in from the engine's cache records, and the
// digest would depend on them.
func (d base) config(im image) dockerspec.DockerOCIImage {
	created := lucidbase.Epoch()
	env := map[string]string{
		"PATH":                    stage.VenvPath + "/bin:/usr/local/bin:/usr/bin",
		"LANG":                    "C.UTF-8",
		"PYTHONUNBUFFERED":        "1",
		"PYTHONDONTWRITEBYTECODE": "1",
		"SSL_CERT_FILE":           "/etc/ssl/certs/ca-certificates.crt",
		"TINI_VERBOSITY":          "0",
	}
	if d.dev {
		devEnv(env)
		if d.musl {
			env["PATH"] += ":/bin" // which Debian has below /usr
		}
	}
	maps.Copy(env, d.Env)
	labels := map[string]string{ocispecs.AnnotationTitle: d.name}
	if d.description != "" {
		labels[ocispecs.AnnotationDescription] = d.description
	}
	maps.Copy(labels, im.labels)
	if d.Version != "" {
		labels[ocispecs.AnnotationVersion] = d.Version
	}
	maps.Copy(labels, d.Labels)

	var config dockerspec.DockerOCIImage
	config.Created, config.Platform = &created, im.target.Platform
	config.RootFS.Type = "layers"
	config.Config.ImageConfig = ocispecs.ImageConfig{
		User:       user,
		WorkingDir: "/app",
		Entrypoint: slices.Clone(entrypoint),
		Cmd:        []string{"python"},
		Labels:     labels,
	}
	for _, name := range sortedKeys(env) {
		config.Config.Env = append(config.Config.Env, name+"="+env[name])
	}
	for _, what := range im.history() {
		config.History = append(config.History, ocispecs.History{Created: &created, CreatedBy: "lucidbase: " + what})
	}
	return config
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
