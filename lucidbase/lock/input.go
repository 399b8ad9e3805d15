package lock

import (
	"bytes"
	"errors"
	"fmt"
)

// DebianInput is the reviewed list that a Debian lock is resolved from.
type DebianInput struct {
	// Suites are the indexes to choose from; the newest version wins.
	Suites []SuiteInput `toml:"suites"`
	// Rootfs names the packages of the images' first layer.
	Rootfs []string `toml:"rootfs"`
	// Builder names what a stage has besides.
	Builder []string `toml:"builder"`
	// Exclude lists dependencies that are left out on purpose.
	Exclude []Exclusion `toml:"exclude"`
}

// SuiteInput names a suite and the keys that may sign it.
type SuiteInput struct {
	Archive string `toml:"archive"`
	Name    string `toml:"suite"`
}

// Exclusion is a dependency that a listed package declares and the list leaves
// out.
type Exclusion struct {
	// Package is the listed package; Depends the package that it asks for.
	Package string `toml:"package"`
	Depends string `toml:"depends"`
	// Reason is for the reviewer; it may not be empty.
	Reason string `toml:"reason"`
}

// ParseDebianInput reads the package list's TOML. name is what errors call the
// file; each names the line and the package.
func ParseDebianInput(name string, data []byte) (DebianInput, error) {
	var in DebianInput
	if err := decodeTOML(name, data, &in); err != nil {
		return DebianInput{}, err
	}
	var errs []error
	bad := func(mark, format string, args ...any) {
		line := lineOf(data, int64(bytes.Index(data, []byte(mark))))
		errs = append(errs, fmt.Errorf("parsing %s: line %d: %w", name, line, fmt.Errorf(format, args...)))
	}
	if len(in.Suites) == 0 {
		bad("", "no suites")
	}
	if len(in.Rootfs) == 0 {
		bad("rootfs", "no packages")
	}
	listed := map[string]bool{}
	for _, pkg := range append(append([]string{}, in.Rootfs...), in.Builder...) {
		if !debName.MatchString(pkg) {
			bad(quoted(pkg), "%s: not a Debian package name", pkg)
		}
		if listed[pkg] {
			bad(quoted(pkg), "%s: listed twice", pkg)
		}
		listed[pkg] = true
	}
	for _, e := range in.Exclude {
		switch {
		case !listed[e.Package]:
			bad(quoted(e.Package), "%s: excludes %s, but is not listed itself", e.Package, e.Depends)
		case listed[e.Depends]:
			bad(quoted(e.Package), "%s: excludes %s, which is listed", e.Package, e.Depends)
		case e.Reason == "":
			bad(quoted(e.Package), "%s: excludes %s without a reason", e.Package, e.Depends)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return DebianInput{}, err
	}
	return in, nil
}
