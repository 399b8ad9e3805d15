package explain

import (
	_ "embed"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// stdlibNames is what CPython 3.11 has in sys.stdlib_module_names, without the
// private names; a test compares the two.
//
//go:embed stdlib.txt
var stdlibNames string

var stdlib = func() map[string]bool {
	known := map[string]bool{}
	for _, name := range strings.Fields(stdlibNames) {
		known[names.Normalize(name)] = true
	}
	return known
}()

// InStandardLibrary reports whether a project name, as it was written, is that of
// a module that Python 3.11 itself has: "logging", "concurrent.futures". The
// index has projects of some of these names; nobody wants them.
func InStandardLibrary(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return stdlib[names.Normalize(name)] || top != name && stdlib[names.Normalize(top)]
}

// backports are projects that bring a module of Python's standard library to
// older ones, under its name. The interpreter's own comes first on its path, so
// they are never imported; all but enum34 work with Python 3.11 where something
// puts them before it. The index's asyncio, pathlib and typing do not, nor is
// uuid, enum or logging what its name says.
var backports = map[string]bool{
	"argparse": true, "configparser": true, "contextvars": true, "dataclasses": true, "enum34": true, "ipaddress": true, "statistics": true,
}
