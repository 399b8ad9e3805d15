package guess

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/lucid-project/base-images/internal/names"
)

// ErrNoList says that a directory has no list of requirements.
var ErrNoList = errors.New("neither requirements.txt, requirements.in, pyproject.toml, setup.cfg nor Pipfile")

// requirement matches the name and the extras of one.
var requirement = regexp.MustCompile(`(?m)^\s*([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[([^\]\n]*)\])?`)

// requirements returns the normalised names of the packages that are asked for.
func (p *Project) requirements(fsys fs.FS) ([]string, error) {
	for _, list := range []string{"requirements.in", "requirements.txt"} {
		text, err := read(fsys, list)
		if err == nil {
			p.List, p.Lock = list, "requirements.lock.txt"
			p.note("packages of %s", list)
			return packageNames(text), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	// The first that is there and lists anything; one can be there for tools alone.
	there := false
	for _, other := range []struct {
		name string
		list func(*Project, string) ([]string, error)
	}{{"pyproject.toml", pyproject}, {"setup.cfg", setupCfg}, {"Pipfile", pipfile}} {
		text, err := read(fsys, other.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var lines []string
		if err == nil {
			lines, err = other.list(p, text)
		}
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", other.name, err)
		}
		if there = true; len(lines) > 0 {
			return p.write(other.name, lines), nil
		}
	}
	if !there {
		return nil, ErrNoList
	}
	return nil, nil
}

// write has a list of requirements written, which a lock is made of.
func (p *Project) write(from string, lines []string) []string {
	p.List, p.Lock = "requirements.in", "requirements.lock.txt"
	list := strings.Join(lines, "\n") + "\n"
	p.Lists = map[string]string{p.List: list}
	p.note("packages of %s, written to %s, which is what is locked", from, p.List)
	return packageNames(list)
}

// packageNames returns the names in a list, and NAME-EXTRA for each extra.
func packageNames(list string) []string {
	var all []string
	for _, m := range requirement.FindAllStringSubmatch(list, -1) {
		all = append(all, names.Normalize(m[1]))
		for extra := range strings.SplitSeq(m[2], ",") {
			if extra = strings.TrimSpace(extra); extra != "" {
				all = append(all, names.Normalize(m[1]+"-"+extra))
			}
		}
	}
	return all
}

// pyproject returns the requirements of a pyproject.toml: PEP 621's, or Poetry's.
func pyproject(p *Project, text string) ([]string, error) {
	var project struct {
		Project struct {
			Name         string
			Dependencies []string
			Dynamic      []string
		}
		Tool struct {
			Poetry struct {
				Name         string
				Dependencies map[string]any
			}
		}
	}
	if _, err := toml.Decode(text, &project); err != nil {
		return nil, err
	}
	for _, name := range []string{project.Tool.Poetry.Name, project.Project.Name} {
		if name != "" {
			p.Name = serviceName(name)
		}
	}
	poetry := project.Tool.Poetry.Dependencies
	switch {
	case len(project.Project.Dependencies) > 0:
		return project.Project.Dependencies, nil
	case len(poetry) > 0:
		delete(poetry, "python")
		return tables(poetry, poetryVersion)
	case slices.Contains(project.Project.Dynamic, "dependencies"):
		return nil, errors.New("its dependencies are dynamic: export them to requirements.txt first")
	}
	return nil, nil
}

// setupCfg returns the requirements of setuptools' file.
func setupCfg(p *Project, text string) (lines []string, err error) {
	section, key := "", ""
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		switch {
		case word == "" || word[0] == '#' || word[0] == ';':
		case word[0] == '[':
			section, key = word, ""
		case line[0] == ' ' || line[0] == '\t':
			if section == "[options]" && key == "install_requires" {
				lines = append(lines, word)
			}
		default:
			var value string
			key, value, _ = strings.Cut(word, "=")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			switch {
			case section == "[metadata]" && key == "name":
				p.Name = serviceName(value)
			case section == "[options]" && key == "install_requires" && strings.HasPrefix(value, "file:"):
				return nil, fmt.Errorf("install_requires is %s: that file is not there", value)
			case section == "[options]" && key == "install_requires" && value != "":
				lines = append(lines, strings.Split(value, ";")...)
			}
		}
	}
	return lines, nil
}

// pipfile returns the requirements of a Pipfile.
func pipfile(_ *Project, text string) ([]string, error) {
	var file struct{ Packages map[string]any }
	if _, err := toml.Decode(text, &file); err != nil {
		return nil, err
	}
	return tables(file.Packages, func(v string) (string, error) { return v, nil })
}
