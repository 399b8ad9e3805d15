package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase/file"
)

func newSchema(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of " + file.Name + ", for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(s.Out, file.Schema())
			return err
		},
	}
}
