package scan

import (
	"bytes"
	"errors"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// parseDpkg reads dpkg's status, and distroless' status.d/PACKAGE of the same
// form: paragraphs of headers (deb-control(5)). A package that was removed has a
// Status that says so.
func parseDpkg(f *File, data []byte) error {
	var name, version, status string
	end := func() error {
		// A file of status.d has no Status: its package is installed.
		if name != "" && (status == "" || strings.HasSuffix(status, " installed")) {
			if version == "" {
				return errors.New(name + ": no Version")
			}
			f.Packages = append(f.Packages, Package{Name: name, Version: version, Manager: "dpkg"})
		}
		name, version, status = "", "", ""
		return nil
	}
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(printable.Valid(string(line)), "\r\n")
		if text == "" {
			if err := end(); err != nil {
				return err
			}
			continue
		}
		key, value, _ := strings.Cut(text, ":")
		switch value = strings.TrimSpace(value); key {
		case "Package":
			name = value
		case "Version":
			version = value
		case "Status":
			status = value
		}
	}
	return end()
}

// parseApk reads apk's database: paragraphs of one-letter fields, P the package
// and V its version (apk-package(5)).
func parseApk(f *File, data []byte) error {
	var p Package
	end := func() error {
		if p.Name != "" {
			if p.Version == "" {
				return errors.New(p.Name + ": no V")
			}
			f.Packages = append(f.Packages, p)
		}
		p = Package{Manager: "apk"}
		return nil
	}
	_ = end() // p is empty
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(printable.Valid(string(line)), "\r\n")
		key, value, _ := strings.Cut(text, ":")
		switch {
		case text == "":
			if err := end(); err != nil {
				return err
			}
		case key == "P":
			p.Name = value
		case key == "V":
			p.Version = value
		}
	}
	return end()
}
