package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func newVersion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the command, its engine and its locks",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			locks, err := lock.Default()
			if err != nil {
				return err
			}
			version, buildkit := versions()
			fmt.Fprintf(s.Out, "lucidbase %s\nbuildkit %s\nuv %s\n", version, buildkit, locks.Tools.UV.Version)
			for _, suite := range locks.Debian.Suites {
				fmt.Fprintf(s.Out, "%s %s\n", suite.Name, suite.Date.Format("2006-01-02"))
			}
			return nil
		},
	}
}

// versions returns the command's and that of the BuildKit in it.
func versions() (version, buildkit string) {
	version, buildkit = "(devel)", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, buildkit
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/moby/buildkit" {
			buildkit = dep.Version
		}
	}
	return info.Main.Version, buildkit
}
