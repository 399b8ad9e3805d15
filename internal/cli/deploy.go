package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/deploy"
	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/variants"
)

// deployFlags are those of the commands that write what runs services.
type deployFlags struct {
	fileFlag
	metadata string
	output   string
}

// add adds the flags; output is the name of what the command writes.
func (d *deployFlags) add(cmd *cobra.Command, output string) {
	f := cmd.Flags()
	d.fileFlag.add(f)
	if flag := f.Lookup("file"); flag != nil {
		d.path, flag.DefValue = file.Name, file.Name
	}
	f.StringVar(&d.metadata, "metadata-file", "", "what \"build --metadata-file\" wrote: the images' names and digests")
	f.StringVarP(&d.output, "output", "o", output, "file to write")
}

// run writes the file for the named services, or all.
func (d *deployFlags) run(s Streams, names []string, format func([]variants.Service, deploy.References) ([]byte, error)) error {
	if d.metadata == "" {
		return usagef("--metadata-file: missing; it is the file that \"build\" wrote with the same flag")
	}
	services, err := d.services(names)
	if err != nil {
		return err
	}
	images, err := readMetadata(d.metadata)
	if err != nil {
		return err
	}
	data, err := format(services, images)
	if err != nil {
		return err
	}
	if err := checkFile(d.output); err != nil {
		return fmt.Errorf("--output %s: %w", d.output, err)
	}
	if err := atomicfile.Write(filepath.Dir(d.output), map[string][]byte{filepath.Base(d.output): data}); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, d.output)
	return nil
}

// services returns the named services, or all if there is no name.
func (d *deployFlags) services(names []string) ([]variants.Service, error) {
	found, err := d.find(names)
	var services []variants.Service
	for _, im := range found {
		services = append(services, im.spec(variants.Options{}).(variants.Service)) // a file and a program have no others
	}
	return services, err
}

// readMetadata returns the images that a build's metadata file names.
func readMetadata(name string) (deploy.References, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var m metadata
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	images := deploy.References{}
	for _, im := range m.Images {
		images[im.Name] = im.Ref + "@" + im.Digest
	}
	return images, nil
}

func newCompose(s Streams, own []image) *cobra.Command {
	d := deployFlags{fileFlag: fileFlag{own: own}}
	var full bool
	cmd := &cobra.Command{
		Use:   "compose [SERVICE...]",
		Short: "Write a Compose file that runs services as they were built",
		Long: "Write a Compose file for the named services, or all: an overlay that makes each of them in a Compose file that\n" +
			"is already there run as in production, by digest, or a whole file with --full.",
		RunE: func(_ *cobra.Command, args []string) error {
			format := deploy.Overlay
			if full {
				format = deploy.Compose
			}
			return d.run(s, args, format)
		},
	}
	d.add(cmd, "compose.lucid.yaml")
	cmd.Flags().BoolVar(&full, "full", false, "write a whole file, with ports, volumes and what waits for what, instead of an overlay")
	return cmd
}

func newKubernetes(s Streams, own []image) *cobra.Command {
	d := deployFlags{fileFlag: fileFlag{own: own}}
	cmd := &cobra.Command{
		Use:   "k8s [SERVICE...]",
		Short: "Write the Kubernetes objects that run services as they were built",
		Long: "Write Kubernetes objects for the named services, or all: a Deployment with probes for each, a Service where it\n" +
			"has ports, and a PersistentVolumeClaim for each directory that it writes to.",
		RunE: func(_ *cobra.Command, args []string) error { return d.run(s, args, deploy.Kubernetes) },
	}
	d.add(cmd, "k8s.lucid.yaml")
	return cmd
}
