package cli

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/certs"
	"github.com/lucid-project/base-images/internal/docker"
	"github.com/lucid-project/base-images/internal/localdir"
	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// hint says what to do next about an error, in one line, or nothing.
func hint(err error) string {
	if h := credentialsHint(err, time.Now()); h != "" {
		return h
	}
	var broken *engine.ContractError
	var bundle *engine.CABundleError
	var unconnected *engine.ConnectError
	var push *engine.PushError
	var load *engine.LoadError
	var step *engine.StepError
	var list listError
	var base baseError
	switch {
	case errors.As(err, &base):
		return "change what the list says, choose another base, or lock it without any base's packages: --base bare, in a file base: bare-base"
	case errors.As(err, &list):
		switch {
		case list.late:
			return "have the rest looked at with a longer --explain-timeout"
		case list.suggested:
			return ""
		}
		return "have these lines corrected in a file beside it with --suggest"
	case errors.Is(err, errUsage):
		return "see 'lucidbase --help'"
	case errors.Is(err, alpine.ErrNoImage):
		return imageHint(err)
	case isUnresolved(err):
		return "'lucidbase build' finds that out where the image can be reached, 'lucidbase lock' for good"
	case errors.Is(err, errUnread), errors.As(err, new(imageError)):
		return readHint(err)
	case errors.As(err, &broken):
		return contractHint(broken)
	case errors.Is(err, debian.ErrGone):
		return "resolve the lists afresh for this build with 'lucidbase build --relock', or for good with 'lucidbase lock'"
	case errors.Is(err, lock.ErrOldLock):
		return "write it again with 'lucidbase lock', a list of your own with 'lucidbase lock -r LIST'"
	case errors.Is(err, engine.ErrTooOld):
		return "update that Docker or BuildKit, or use another engine: --engine embedded is the one in this program, on Linux"
	case errors.Is(err, localdir.ErrLeadsOut):
		return "copy what the link leads to into the directory, or leave the link out with exclude or a .dockerignore"
	case errors.Is(err, lock.ErrOldSystem):
		return "lock them again with 'lucidbase lock -f FILE' or 'lucidbase lock --system PACKAGES'"
	case errors.Is(err, engine.ErrNoMerge):
		return "in Docker, switch on the containerd image store; elsewhere, use another engine, such as --engine embedded, the one in this program, on Linux"
	case errors.As(err, new(*certs.Error)):
		return "name a directory that has them: for tcp:// with ?cert=DIR or LUCID_ENGINE_CERTS, for Docker with DOCKER_CERT_PATH"
	case errors.As(err, new(*docker.SettingsError)):
		return "check DOCKER_CONTEXT and what 'docker context ls' lists, or name where Docker listens with DOCKER_HOST"
	case errors.As(err, &load):
		return loadHint(err)
	case errors.As(err, &step) && step.FullNode != "":
		return "free space where that BuildKit is: 'docker buildx prune' or 'buildctl prune' empties its cache"
	case errors.Is(err, syscall.ENOSPC):
		return "free space on the device, or shrink the cache with 'lucidbase prune --all'"
	case errors.As(err, &bundle):
		return "check --ca-bundle and SSL_CERT_FILE"
	case errors.Is(err, engine.ErrSilentCache):
		return "build without --cache-from, and start that BuildKit again: it serves nobody else until the registry answers"
	case errors.As(err, new(*engine.CacheWriteError)):
		return cacheHint(err)
	case errors.As(err, &unconnected), errors.As(err, new(*engine.AddressError)):
		return engineHint(err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return "choose a directory that you may write with --cache-dir, --output or --metadata-file"
	case errors.As(err, &push):
		return pushHint(err)
	case errors.Is(err, debian.ErrAltered):
		return "name a mirror that serves Debian's own files with --debian-mirror and --debian-security-mirror"
	case refusedByIndex(err):
		return "the index refuses the credentials: check those in UV_INDEX, UV_DEFAULT_INDEX or UV_INDEX_NAME_PASSWORD, in ~/.netrc or in the keyring; a token may have expired"
	case unreachable(err):
		return "check the network, the proxy variables, --debian-mirror and UV_DEFAULT_INDEX"
	case errors.As(err, new(*debian.PackageError)): // not for want of space and the like
		return "leave that package out, or what needs it: no image may have this, and often a wheel brings the library itself"
	}
	return ""
}

// contractHint says how to mend what was found, in the words of the first rules.
func contractHint(broken *engine.ContractError) string {
	const most = 3
	var fixes []string
	for _, r := range broken.Results {
		for _, f := range r.Findings {
			if fix := f.Rule + ": " + f.Fix; !slices.Contains(fixes, fix) {
				fixes = append(fixes, fix)
			}
		}
	}
	if len(fixes) > most {
		fixes = append(fixes[:most], "what the others want is in 'lucidbase verify --rules'")
	}
	return "nothing was written or pushed; " + strings.Join(fixes, "; ")
}

// engineHint is about a BuildKit that cannot be reached.
func engineHint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "the socket belongs to others: join its group (of Docker's: 'sudo usermod -aG docker $USER', then log in again), or name another engine with --engine"
	}
	if text := err.Error(); strings.Contains(text, "x509: ") || strings.Contains(text, "tls: ") || errors.Is(err, engine.ErrWantsTLS) {
		return "check the name in the address, and the certificates: those for tcp:// in ?cert=DIR or LUCID_ENGINE_CERTS, for Docker in DOCKER_CERT_PATH"
	}
	return "check --engine, BUILDKIT_HOST and DOCKER_HOST; with none of them, Linux uses the engine in this program, other systems Docker"
}

// imageHint is about an upstream image that no registry sent.
func imageHint(err error) string {
	var answer *transport.Error
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return "log in to the registry with 'docker login' or 'skopeo login', or name one that has the image with --image-mirror docker.io=HOST/PREFIX"
	}
	return "name a registry that has the image with --image-mirror docker.io=HOST/PREFIX or LUCID_IMAGE_MIRROR; the images base and python-base need none"
}

func isUnresolved(err error) bool {
	var ask *lucidbase.UnresolvedUpstreamError
	return errors.As(err, &ask)
}

// readHint is about an image that was to be read.
func readHint(err error) string {
	var answer *transport.Error
	var bundle *engine.CABundleError
	switch {
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		return "check the image's name, and log in to the registry with 'docker login' or 'skopeo login', as a user who may pull it"
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "check the image's name and tag"
	case errors.Is(err, syscall.ENOSPC):
		return "free space on the device, or choose another one with TMPDIR"
	case errors.As(err, &bundle):
		return "check --ca-bundle and SSL_CERT_FILE"
	case unreachable(err):
		return "check the image's name, the network and the proxy variables"
	}
	return ""
}

// refusedByIndex reports whether Python's index wants other credentials.
func refusedByIndex(err error) bool {
	var unresolved *resolve.NoSolutionError
	var step *engine.StepError
	return errors.As(err, &unresolved) && unresolved.Refused() || errors.As(err, &step) && errors.Is(step, engine.ErrRefused)
}

// unreachable reports whether a server could not be reached, by this process or by a
// step of a build.
func unreachable(err error) bool {
	var unresolved *resolve.NoSolutionError
	if errors.As(err, &unresolved) {
		return unresolved.Unanswered()
	}
	return errors.Is(err, engine.ErrUnreachable) || errors.Is(err, debian.ErrNoAnswer) ||
		errors.As(err, new(*net.OpError)) || errors.As(err, new(*patient.SilenceError))
}
