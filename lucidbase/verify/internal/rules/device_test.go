package rules_test

import (
	"archive/tar"
	"testing"
)

func TestDevice(t *testing.T) {
	testRule(t, "device", []breach{
		{name: "clean"},
		{name: "nodes", layers: one(device("/dev/null", tar.TypeChar), device("/app/disk", tar.TypeBlock), device("/app/pipe", tar.TypeFifo)), want: []string{"/app/disk", "/app/pipe", "/dev/null"}},
		{name: "near", layers: one(dir("/dev/pts"), file("/dev/console", ""), link("/dev/stdout", "/proc/self/fd/1"))},
	})
}
