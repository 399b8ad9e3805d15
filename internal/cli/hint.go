package cli

import (
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/lucid-project/base-images/lucidbase/rootfs"
)

// hint says what to do next about an error, in one line, or nothing.
func hint(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, errUsage):
		return "see 'lucidbase --help'"
	case errors.Is(err, rootfs.ErrGone):
		return "resolve the lists afresh for this build with 'lucidbase build --relock', or for good with 'lucidbase lock'"
	case errors.Is(err, syscall.ENOSPC):
		return "free space on the device, or shrink the cache with 'lucidbase prune --all'"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "choose a directory that you may write with --cache-dir or --output"
	case errors.As(err, &dns), errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "error sending request"):
		return "check the network, the proxy variables, --debian-mirror and UV_DEFAULT_INDEX"
	}
	return ""
}
