package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/lucid-project/base-images/internal/docker"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// outputFlags say where images go. Several places are possible at once.
type outputFlags struct {
	flags  *pflag.FlagSet
	push   bool
	load   string
	output string
	format string
}

func (o *outputFlags) add(f *pflag.FlagSet) {
	o.flags = f
	f.BoolVar(&o.push, "push", false, "push to the registry; $PUSH")
	f.StringVar(&o.load, "load", "", "load into an image `store` of this machine: docker, podman or containerd:ADDRESS; without a value, into Docker or Podman, whichever answers")
	f.Lookup("load").NoOptDefVal = anyStore
	f.StringVar(&o.output, "output", "dist", "where to write the images when they are not pushed or loaded, or besides: a `directory` for OCI image layouts, one below it for each image; a FILE.tar for all; - for a tar on standard output")
	f.StringVar(&o.format, "output-format", string(engine.OCI), "what a tar is like: oci, or docker, which \"docker load\" of any version takes")
}

// stdout is the --output that writes a tar to standard output.
const stdout = "-"

// anyStore is a --load without a value.
const anyStore = "any"

// stores are the values that look like an image's name.
var stores = []string{string(engine.DockerStore), string(engine.PodmanStore)}

// writes reports whether images are written to files.
func (o *outputFlags) writes() bool { return o.flags.Changed("output") || !o.push && o.load == "" }

// store returns the store of --load.
func (o *outputFlags) store() (engine.Store, error) {
	store, err := engine.ParseStore(strings.TrimPrefix(o.load, anyStore))
	if err != nil {
		return "", usagef("--load: %w", err)
	}
	return store, nil
}

func (o *outputFlags) tar() bool { return o.output == stdout || strings.HasSuffix(o.output, ".tar") }

// checkArgs finds a value of --load among the images.
func (o *outputFlags) checkArgs(args []string) error {
	if o.load == anyStore && len(args) > 0 && slices.Contains(stores, args[0]) {
		return usagef("--load %s: the store follows without a space: --load=%s", args[0], args[0])
	}
	return nil
}

// check finds a wrong command line, and what would fail after the build before it.
func (o *outputFlags) check(out io.Writer, platforms int) error {
	if _, err := o.store(); err != nil {
		return err
	}
	format := engine.Format(o.format)
	switch {
	case format != engine.OCI && format != engine.Docker:
		return usagef("--output-format %q: not oci or docker", o.format)
	case format == engine.Docker && (!o.writes() || !o.tar()):
		return usagef("--output-format docker: needs --output FILE.tar or --output -")
	case format == engine.Docker && platforms > 1:
		return usagef("--output-format docker: such a tar holds one platform; choose it with --platform")
	case !o.writes():
		return nil
	case o.output == stdout && terminal(out):
		return usagef("--output -: standard output is a terminal; send it to a file or a program")
	case o.output == stdout:
		return nil
	}
	check := checkOutput
	if o.tar() {
		check = checkFile
	}
	if err := check(o.output); err != nil {
		return fmt.Errorf("--output %s: %w", o.output, err)
	}
	return nil
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// destinations returns where an image goes.
func (o *outputFlags) destinations(out io.Writer, name, ref string) []engine.Destination {
	var all []engine.Destination
	if o.writes() {
		switch format := engine.Format(o.format); {
		case o.output == stdout:
			all = append(all, engine.TarTo(out, format, ref))
		case o.tar():
			all = append(all, engine.Tar(o.output, format, ref))
		default:
			all = append(all, engine.Layout(filepath.Join(o.output, name), ref))
		}
	}
	if store, err := o.store(); o.load != "" && err == nil {
		all = append(all, engine.LoadInto(store, ref))
	}
	if o.push {
		all = append(all, engine.Push(ref))
	}
	return all
}

// offerTime is how long a Docker may take to answer whether it is there.
const offerTime = 500 * time.Millisecond

// offer says how to have images in Docker, where nothing was said of where they go and a
// Docker answers.
func (o *outputFlags) offer(ctx context.Context, s Streams) {
	if o.push || o.load != "" || o.flags.Changed("output") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, offerTime)
	defer cancel()
	if d, err := docker.Find(ctx); err == nil && d.Ping(ctx) == nil {
		fmt.Fprintf(s.Err, "lucidbase: written to %s; --load puts them into Docker at %s\n", o.output, d.Address)
	}
}

// results is where the lines about images go: standard output may be a tar.
func (o *outputFlags) results(s Streams) io.Writer {
	if o.writes() && o.output == stdout {
		return s.Err
	}
	return s.Out
}

// checkOutput finds out whether a directory can be made, and written to.
func checkOutput(dir string) error {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return errors.New("a part of the path is a file, not a directory")
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file, not a directory", dir)
	}
	return checkWritable(dir)
}

func checkWritable(dir string) error {
	probe, err := os.MkdirTemp(dir, ".lucidbase-")
	if err != nil {
		return err
	}
	return os.Remove(probe)
}

func checkFile(file string) error {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return errors.New("it is a directory")
	}
	info, err := os.Stat(filepath.Dir(file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", filepath.Dir(file))
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return errors.New("a part of the path is a file, not a directory")
	case err != nil:
		return err
	}
	return checkWritable(filepath.Dir(file))
}
