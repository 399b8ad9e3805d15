//go:build !linux

package doctor

// systemChecks are of what steps need that run on this machine: on Linux alone.
func systemChecks() []check { return nil }
