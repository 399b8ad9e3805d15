package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/guess"
	"github.com/lucid-project/base-images/lucidbase/file"
)

func newInit(s Streams) *cobra.Command {
	var program bool
	cmd := &cobra.Command{
		Use:   "init [DIRECTORY]",
		Short: "Write a first " + file.Name + ", or with --go a main.go, for a directory of Python",
		Long: "Look at a directory with requirements.txt, requirements.in, pyproject.toml, setup.cfg or Pipfile, find out how its program\n" +
			"starts and where it listens, and write that to a new file. What was guessed is said; no file is overwritten.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return initialize(s, append(args, ".")[0], program)
		},
	}
	cmd.Flags().BoolVar(&program, "go", false, "write a Go program instead")
	return cmd
}

// initialize writes the files for a directory.
func initialize(s Streams, dir string, program bool) error {
	full, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding the working directory: %w", err)
	}
	p, err := guess.Read(os.DirFS(dir), filepath.Base(full))
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	files := map[string]string{}
	maps.Copy(files, p.Lists)
	if program {
		if files["main.go"], err = p.Go(); err != nil {
			return err
		}
	} else {
		files[file.Name] = p.YAML()
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already", filepath.Join(dir, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := atomicfile.WriteNew(filepath.Join(dir, name), []byte(files[name])); err != nil {
			return err
		}
		fmt.Fprintln(s.Out, filepath.Join(dir, name))
	}
	for _, note := range p.Notes {
		fmt.Fprintln(s.Err, "lucidbase: "+note)
	}
	fmt.Fprintln(s.Err, "lucidbase: next, in that directory: "+next(p, program))
	return nil
}

// next says how an image is made of what was written.
func next(p guess.Project, program bool) string {
	lock, build := "lucidbase lock -f "+file.Name, "lucidbase build -f "+file.Name
	if program {
		lock, build = "lucidbase lock -r "+p.List+" --base python-base", "go run . build"
		if len(p.System) > 0 {
			lock += ", lucidbase lock --system " + strings.Join(p.System, ",")
		}
	}
	if p.Lock == "" {
		return build
	}
	return lock + ", and " + build
}
