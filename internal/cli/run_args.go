package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// environment is that of the files, then that of the flags.
func (r *runFlags) environment(getenv func(string) string) ([]string, error) {
	var lines []string
	for _, file := range r.envFiles {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("--env-file: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
		for number, line := range strings.Split(string(text), "\n") {
			line = strings.TrimSuffix(line, "\r")
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if name, _, _ := strings.Cut(line, "="); name == "" || strings.ContainsAny(name, " \t") {
				return nil, usagef("--env-file %s: line %d: %q is no variable's name", file, number+1, name)
			}
			lines = append(lines, line)
		}
	}
	values := map[string]string{}
	for _, line := range append(lines, r.env...) {
		name, value, has := strings.Cut(line, "=")
		if name == "" {
			return nil, usagef("--env %q: no name", line)
		}
		if !has {
			value = getenv(name)
		}
		if has || value != "" {
			values[name] = value
		}
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env, nil
}

func parseMounts(flags []string) (mounts []sandbox.Mount, err error) {
	for _, text := range flags {
		source, target, ok := strings.Cut(text, ":")
		if !ok || source == "" || !path.IsAbs(target) {
			return nil, usagef("--mount %q: not SOURCE:TARGET, with an absolute TARGET", text)
		}
		mounts = append(mounts, sandbox.Mount{Source: source, Target: target})
	}
	return mounts, nil
}

// checkPort finds what would fail only after the build.
func (r *runFlags) checkPort() error {
	if r.port == "" {
		return nil
	}
	for _, port := range strings.SplitN(r.port, ":", 2) {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return usagef("--port %q: not HERE or HERE:THERE, with numbers from 1 to 65535", r.port)
		}
	}
	return nil
}
