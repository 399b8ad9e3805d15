package alpine

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// apkPackage is an entry of the database of installed packages, a paragraph of
// lines that each begin with a letter and a colon
// (https://wiki.alpinelinux.org/wiki/Apk_spec, "Installed Database V2").
type apkPackage struct {
	lock.ApkPackage
	depends []string
	head    []string // the lines before the first directory
	dirs    []apkDir
}

// apkDir is a directory of a package: an F line, those about it, and its files.
type apkDir struct {
	name  string
	lines []string
	files []apkFile
}

// apkFile is an R line and those about it.
type apkFile struct {
	name  string
	lines []string
}

// parseApk reads lib/apk/db/installed.
func parseApk(data []byte) ([]*apkPackage, error) {
	var all []*apkPackage
	p, number := &apkPackage{}, 0
	end := func() error {
		if p.empty() {
			return nil
		}
		if p.Name == "" || p.Version == "" {
			return fmt.Errorf("line %d: a package without name or version", number)
		}
		all = append(all, p)
		p = &apkPackage{}
		return nil
	}
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		err := error(nil)
		if line == "" {
			err = end()
		} else if lineErr := p.line(line); lineErr != nil {
			err = fmt.Errorf("line %d: %w", number, lineErr)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, end()
}

func (p *apkPackage) empty() bool { return len(p.head) == 0 && len(p.dirs) == 0 }

func (p *apkPackage) line(line string) error {
	key, value, ok := strings.Cut(line, ":")
	if !ok || len(key) != 1 {
		return fmt.Errorf("%.40q is no field", line)
	}
	switch key {
	case "F":
		name, err := tree.CleanName(value)
		p.dirs = append(p.dirs, apkDir{name: name, lines: []string{line}})
		return err
	case "R":
		if len(p.dirs) == 0 || value == "" || strings.Contains(value, "/") {
			return fmt.Errorf("file %q is in no directory", value)
		}
		d := &p.dirs[len(p.dirs)-1]
		d.files = append(d.files, apkFile{path.Join(d.name, value), []string{line}})
		return nil
	}
	if len(p.dirs) > 0 {
		d := &p.dirs[len(p.dirs)-1]
		if n := len(d.files); n > 0 {
			d.files[n-1].lines = append(d.files[n-1].lines, line)
		} else {
			d.lines = append(d.lines, line)
		}
		return nil
	}
	p.head = append(p.head, line)
	return p.field(key, value)
}

func (p *apkPackage) field(key, value string) error {
	switch {
	case key == "P" && p.Name == "":
		p.Name = value
	case key == "V" && p.Version == "":
		p.Version = value
	case key == "D":
		p.depends = append(p.depends, strings.Fields(value)...)
	case key == "P", key == "V":
		return errors.New("a second package without an empty line between")
	}
	return nil
}

// only returns the package's entry with the files that are kept alone, or nil if
// there is none.
func (p *apkPackage) only(kept func(name string) bool) *apkPackage {
	out := &apkPackage{ApkPackage: p.ApkPackage, depends: p.depends, head: p.head}
	for _, d := range p.dirs {
		own := apkDir{name: d.name, lines: d.lines}
		for _, f := range d.files {
			if kept(f.name) {
				own.files = append(own.files, f)
			}
		}
		if len(own.files) > 0 {
			out.dirs = append(out.dirs, own)
		}
	}
	if len(out.dirs) == 0 {
		return nil
	}
	return out
}

// formatApk returns the database's form that parseApk reads.
func formatApk(all []*apkPackage) string {
	var b bytes.Buffer
	write := func(lines []string) {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	for _, p := range all {
		write(p.head)
		for _, d := range p.dirs {
			write(d.lines)
			for _, f := range d.files {
				write(f.lines)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
