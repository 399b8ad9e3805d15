package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/migrate"
)

// maxDockerfile is larger than anybody's.
const maxDockerfile = 1 << 20

func newMigrate(s Streams) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "migrate DOCKERFILE",
		Short: "Print the lucidbase.yaml that a Dockerfile becomes, and what each line that cannot work becomes",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out != "" {
				if _, err := os.Lstat(out); err == nil {
					return usagef("--output %s: it is there already, and is not overwritten", out)
				}
			}
			r, err := migrated(args[0], filepath.Dir(out))
			if err != nil {
				return err
			}
			left := 0
			for _, f := range r.Findings {
				mark := ""
				if f.Left {
					mark = "to do: "
					left++
				}
				fmt.Fprintf(s.Err, "%s:%d: %s%s; %s\n", args[0], f.Line, mark, f.Found, f.Fix)
			}
			if out == "" {
				_, err = s.Out.Write(r.YAML)
			} else {
				err = atomicfile.WriteNew(out, r.YAML)
			}
			if err != nil {
				return err
			}
			if left > 0 {
				return leftError{fmt.Errorf("%s: left for a person: %d, marked \"to do\"", args[0], left)}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write `FILE`, which must not be there, instead of printing; paths in it are relative to it")
	return cmd
}

// leftError says that a person has to do the rest.
type leftError struct{ error }

// migrated reads a Dockerfile. The file that it becomes will be in dir.
func migrated(name, dir string) (migrate.Result, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return migrate.Result{}, err
	case !info.Mode().IsRegular():
		return migrate.Result{}, fmt.Errorf("%s: not a file", name)
	case info.Size() > maxDockerfile:
		return migrate.Result{}, fmt.Errorf("%s: larger than %d MiB", name, maxDockerfile>>20)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return migrate.Result{}, err
	}
	full, err := filepath.Abs(name)
	if err != nil {
		return migrate.Result{}, err
	}
	context := contextOf(filepath.Dir(full), migrate.Sources(text))
	if dir, err = filepath.Abs(dir); err != nil {
		return migrate.Result{}, err
	}
	prefix, err := filepath.Rel(dir, context)
	if err != nil {
		return migrate.Result{}, err
	}
	r, err := migrate.Dockerfile(migrate.File{
		Text: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), Name: serviceOf(full), Context: os.DirFS(context), Prefix: filepath.ToSlash(prefix),
	})
	var at *migrate.Error
	if errors.As(err, &at) {
		err = fmt.Errorf("%s:%w", name, err)
	}
	return r, err
}

// contextOf returns the directory that a Dockerfile is built with: its own or, where
// that lacks what is copied, the nearest one above that has it, up to that of the Git
// repository.
func contextOf(own string, sources []string) string {
	for dir := own; ; dir = filepath.Dir(dir) {
		if hasAll(dir, sources) {
			return dir
		}
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil || dir == filepath.Dir(dir) {
			return own
		}
	}
}

func hasAll(dir string, sources []string) bool {
	for _, src := range sources {
		found, err := fs.Glob(os.DirFS(dir), src)
		if err == nil && len(found) == 0 {
			return false
		}
	}
	return true
}

// serviceOf names a service by its Dockerfile: "Dockerfile.gateway",
// "gateway.Dockerfile" or the directory.
func serviceOf(full string) string {
	base := filepath.Base(full)
	for _, name := range []string{strings.TrimPrefix(base, "Dockerfile."), strings.TrimSuffix(base, ".Dockerfile"), strings.TrimSuffix(base, ".dockerfile")} {
		if name != base {
			return name
		}
	}
	return filepath.Base(filepath.Dir(full))
}
