// Package file reads lucidbase.yaml: services as a file, with the fields of
// variants.Service as keys.
//
//	defaults:
//	  base: python-base
//	  labels: {org.opencontainers.image.vendor: Lucid}
//	services:
//	  gateway:
//	    lock: requirements.lock.txt
//	    source:
//	      - {from: src, to: /app/src}
//	    command: [python, -m, src.main]
//	    port: 8000
//	    health: {path: /health}
//
// A key is the field's name in lower case, with an underscore between words: StartPeriod
// is start_period. A service's name is its key. Base is the name of a base image, and
// lock and from are paths relative to the file. System is a list of Debian packages, whose
// lock SERVICE.system.lock.json lies beside the file; that of defaults is named for the
// file. What a service says takes the place of
// what defaults says of the same key; but mappings are merged, and the source and the
// waivers of defaults come before its own.
package file
