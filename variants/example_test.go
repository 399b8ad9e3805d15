package variants_test

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

func layers(spec lucidbase.Spec) {
	g, err := spec.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range g.Config.History {
		fmt.Println(h.CreatedBy)
	}
}

// The zero value is the image as it is published.
func ExamplePython() {
	layers(variants.Python{})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: minimal packages
	// lucidbase: python packages
}

// Environment and labels are maps; what the variant sets itself can be replaced.
func ExampleStandard() {
	g, err := variants.Standard{
		Env:    map[string]string{"LOG_LEVEL": "info"},
		Labels: map[string]string{"org.opencontainers.image.vendor": "Lucid"},
	}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g.Config.Config.Env[1])
	fmt.Println(g.Config.Config.Labels["org.opencontainers.image.vendor"])
	// Output:
	// LOG_LEVEL=info
	// Lucid
}

// A further package is a line of a requirements file with its hash.
func ExamplePython_packages() {
	extra, err := lock.ParseRequirements("extra.txt", []byte(
		"itsdangerous==2.2.0 --hash=sha256:c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	layers(variants.Python{Packages: extra})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: minimal packages
	// lucidbase: python packages
	// lucidbase: further packages
}

// Worker is a variant of one's own: the smallest tier under another name.
type Worker struct{}

// Graph fills in what the library's own variants fill in.
func (Worker) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return variants.Debian{
		Name:        "worker-base",
		Description: "For workers that serve no HTTP",
		Tier:        lock.Minimal,
	}.Graph(p)
}

func ExampleDebian() {
	layers(Worker{})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: minimal packages
}
