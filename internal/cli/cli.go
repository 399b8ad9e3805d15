// Package cli is the lucidbase command, one file a subcommand.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// Streams are what a command reads and writes. Results alone go to Out.
type Streams struct {
	Out, Err io.Writer
	Getenv   func(string) string
}

// Exit statuses.
const (
	statusFailed = 1
	statusUsage  = 2
	// statusUnread is that of verify where it cannot judge: 1 is for findings.
	statusUnread = 3
	// statusLeft is that of migrate where a person has to do the rest.
	statusLeft = 3
)

// errUsage marks an error of the command line.
var errUsage = errors.New("usage")

type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }

// errUnread marks what verify could not read.
var errUnread = errors.New("unread")

type unreadError struct{ error }

func (unreadError) Is(target error) bool { return target == errUnread }
func (e unreadError) Unwrap() error      { return e.error }

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return unreadError{err}
}

// imageError is that an image of run could not be opened.
type imageError struct{ error }

func (e imageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs the command with the arguments after its name and returns the exit
// status: 0, 2 for a wrong command line, 1 for the rest; of verify, 1 for findings
// and 3 for what cannot be read; of migrate, 3 for what is left to do; of run, what the
// container's process ended with.
func Run(ctx context.Context, args []string, s Streams) int {
	root := newRoot("lucidbase", "Build distroless Python "+lock.PythonMinor+" base images with BuildKit")
	root.AddCommand(newBuild(s, nil), newLock(s), newGraph(s, nil), newVerify(s), newRun(s, nil), newCompose(s, nil), newKubernetes(s, nil), newInit(s), newSchema(s), newMigrate(s), newDoctor(s), newUsage(s), newPrune(s), newVersion(s))
	return execute(ctx, root, args, s)
}

// RunServices is Run of a program that builds services of its own.
func RunServices(ctx context.Context, program string, args []string, s Streams, services ...variants.Service) int {
	all := []image{}
	for _, service := range services {
		if slices.ContainsFunc(all, func(im image) bool { return im.name == service.Name }) {
			report(s.Err, fmt.Errorf("two services are called %q", service.Name))
			return statusFailed
		}
		all = append(all, own(service))
	}
	root := newRoot(program, "Build the services of this program")
	root.AddCommand(newBuild(s, all), newGraph(s, all), newVerify(s), newRun(s, all), newCompose(s, all), newKubernetes(s, all), newDoctor(s), newUsage(s), newPrune(s), newVersion(s))
	return execute(ctx, root, args, s)
}

func newRoot(program, short string) *cobra.Command {
	return &cobra.Command{
		Use:           program,
		Short:         short,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
}

func execute(ctx context.Context, root *cobra.Command, args []string, s Streams) int {
	// BuildKit's session logs here, past every progress mode, that its connection ended,
	// as it does when a build has.
	log.SetOutput(io.Discard)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetArgs(oldFlags(args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, errFindings) || errors.Is(err, errUnwell) {
		return statusFailed // they are printed
	}
	var ended exitError
	if errors.As(err, &ended) {
		return int(ended)
	}
	status := statusFailed
	if errors.Is(err, errUnread) {
		status = statusUnread
	}
	if errors.As(err, new(leftError)) {
		status = statusLeft
	}
	if ctx.Err() != nil {
		fmt.Fprintln(s.Err, "lucidbase: interrupted")
		return status
	}
	if !started && !errors.Is(err, errUsage) {
		err = usageError{err} // cobra's own
	}
	report(s.Err, err)
	if errors.Is(err, errUsage) {
		return statusUsage
	}
	return status
}

// report prints an error, a line each, and what to do next.
func report(w io.Writer, err error) {
	for _, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(w, "lucidbase: %s\n", line)
	}
	if h := hint(err); h != "" {
		fmt.Fprintf(w, "lucidbase: %s\n", h)
	}
}

// oldFlags rewrites the PowerShell script's flags: pflag would read -Platform
// as a row of one-letter flags.
func oldFlags(args []string) []string {
	known := map[string]string{
		"-platform": "--platform", "-push": "--push", "-tag": "--tag",
		"-nocache": "--no-cache", "-registry": "--registry",
	}
	out := make([]string, len(args))
	for i, arg := range args {
		name, value, hasValue := strings.Cut(arg, "=")
		if !hasValue {
			name, value, hasValue = strings.Cut(arg, ":") // -Push:$false
		}
		long, ok := known[strings.ToLower(name)]
		switch {
		case !ok:
			out[i] = arg
		case hasValue:
			out[i] = long + "=" + strings.TrimPrefix(value, "$")
		default:
			out[i] = long
		}
	}
	return out
}
