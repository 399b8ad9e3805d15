package cli

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

func newPrune(s Streams) *cobra.Command {
	var e engineFlags
	var all bool
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Shrink the cache to --cache-limit, remove what is --older-than, or empty it with --all",
		Long: "Remove from the cache what was used longest ago, until it is as small as --cache-limit, and what was not used for longer than\n" +
			"--older-than; or everything with --all. Builds that run lose nothing: beside them, files that were used in the last hour stay.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			limit, err := e.limit()
			if err != nil {
				return err
			}
			if age < 0 || age == 0 && cmd.Flags().Changed("older-than") {
				return usagef("--older-than %s: must be more than 0s; --all removes everything", age)
			}
			if all {
				limit = 0
			}
			eng, err := e.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer eng.Close()
			freed, err := eng.Prune(cmd.Context(), engine.Limit{Bytes: limit, Age: age})
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "freed %s\n", units.HumanSize(float64(freed)))
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "empty the cache")
	cmd.Flags().DurationVar(&age, "older-than", 0, "remove what was not used for that long, such as 168h; by default nothing is too old")
	e.add(cmd.Flags())
	return cmd
}

// kinds says what is in each kind of the cache.
var kinds = map[string]string{
	"steps":     "what BuildKit made of a build's steps",
	"content":   "layers and images",
	"downloads": "packages and files of upstream images",
	"facts":     "what the contract read of layers",
	"built":     "which image was made of what",
	"pushed":    "where each layer was pushed to",
	"locks":     "of build --relock",
	"sandbox":   "layers unpacked by run and lucidtest",
}

func newUsage(s Streams) *cobra.Command {
	var e engineFlags
	cmd := &cobra.Command{
		Use:   "du",
		Short: "Print what the cache holds, by kind, with size and last use",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			eng, err := e.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer eng.Close()
			all, err := eng.Usage(cmd.Context())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "KIND\tSIZE\tCOUNT\tLAST USED\tWHAT")
			var total engine.Usage
			for _, u := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", u.Kind, units.HumanSize(float64(u.Size)), u.Count, ago(u.Used), kinds[u.Kind])
				total.Size += u.Size
			}
			fmt.Fprintf(w, "total\t%s\n", units.HumanSize(float64(total.Size)))
			return w.Flush()
		},
	}
	e.add(cmd.Flags())
	return cmd
}

// ago says how long ago something was.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return units.HumanDuration(time.Since(t)) + " ago"
}
