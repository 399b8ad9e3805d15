package cli

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

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
	var broken *engine.ContractError
	var bundle *engine.CABundleError
	var unconnected *engine.ConnectError
	var push *engine.PushError
	var list listError
	var base baseError
	switch {
	case errors.As(err, &base):
		return "change what the list says, choose another base, or lock it without any base's packages: --base bare"
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
	case errors.Is(err, errUnread):
		return readHint(err)
	case errors.As(err, &broken):
		return "nothing was written or pushed; what each rule wants is told by 'lucidbase verify --rules'"
	case errors.Is(err, debian.ErrGone):
		return "resolve the lists afresh for this build with 'lucidbase build --relock', or for good with 'lucidbase lock'"
	case errors.Is(err, lock.ErrOldLock):
		return "write it again with 'lucidbase lock', a list of your own with 'lucidbase lock -r LIST'"
	case errors.Is(err, engine.ErrNoMerge):
		return "in Docker, switch on the containerd image store; elsewhere, use another engine, or none: --engine '' is the one in this program"
	case errors.Is(err, syscall.ENOSPC):
		return "free space on the device, or shrink the cache with 'lucidbase prune --all'"
	case errors.As(err, &bundle):
		return "check --ca-bundle and SSL_CERT_FILE"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return "choose a directory that you may write with --cache-dir, --output or --metadata-file"
	case errors.As(err, &unconnected):
		return "check --engine and BUILDKIT_HOST; with neither, the engine in this program is used"
	case errors.As(err, &push):
		return pushHint(err)
	case errors.Is(err, debian.ErrAltered):
		return "name a mirror that serves Debian's own files with --debian-mirror and --debian-security-mirror"
	case unreachable(err):
		return "check the network, the proxy variables, --debian-mirror and UV_DEFAULT_INDEX"
	}
	return ""
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
	var ask *lucidbase.UnresolvedImageError
	return errors.As(err, &ask)
}

// readHint is about what verify was to read.
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

func pushHint(err error) string {
	var answer *transport.Error
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return "log in to the registry with 'docker login' or 'skopeo login', as a user who may push there"
	}
	var busy *patient.BusyError
	switch {
	case errors.As(err, &busy):
		return "push again later: what has arrived is not sent again"
	case errors.Is(err, engine.ErrImpostor):
		return "something else may answer in the registry's place: check --registry and the proxy variables"
	case unreachable(err):
		return "check --registry, the network and the proxy variables"
	}
	return ""
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
