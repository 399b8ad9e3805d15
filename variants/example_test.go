package variants_test

import (
	"fmt"
	"os"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
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

// The zero value is the image as it is published. Each large wheel is a layer of
// its own.
func ExamplePython() {
	layers(variants.Python{Locks: small()})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: pymongo 4.15.0
	// lucidbase: idna 3.10
	// lucidbase: markupsafe 3.0.0
	// lucidbase: pydantic-core 2.41.0
	// lucidbase: fastapi 0.100.0
}

// small is a set of locks with few packages.
func small() *lock.Set {
	locks, err := lock.ReadSet(os.DirFS("testdata/locks"))
	if err != nil {
		panic(err)
	}
	return locks
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

// Further packages are what "lucidbase lock -r" wrote.
func ExamplePython_packages() {
	further, err := lock.Read(os.DirFS("testdata"), "own.lock.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	layers(variants.Python{Locks: small(), Packages: further})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: pymongo 4.15.0
	// lucidbase: idna 3.10
	// lucidbase: markupsafe 3.0.0
	// lucidbase: pydantic-core 2.41.0
	// lucidbase: fastapi 0.100.0
	// lucidbase: itsdangerous 2.2.0
}

// Worker is a variant of one's own: the smallest tier under another name.
type Worker struct{}

// Graph fills in what the library's own variants fill in.
func (Worker) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	return variants.Debian{
		Name:        "worker-base",
		Description: "For workers that serve no HTTP",
		Tier:        lock.Minimal,
		Options:     variants.Options{Locks: small()},
	}.Graph(p)
}

func ExampleDebian() {
	layers(Worker{})
	// Output:
	// lucidbase: Debian 12 packages
	// lucidbase: bytecode of the standard library, /opt/venv
	// lucidbase: pymongo 4.15.0
	// lucidbase: idna 3.10
	// lucidbase: markupsafe 3.0.0
}

// The twin of a base is for stages of a Dockerfile that install something, and for looking
// into a container. Its label says that it is no base.
func ExampleDev() {
	g, err := variants.Dev{Of: variants.Python{}}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64})
	if err != nil {
		fmt.Println(err)
		return
	}
	labels := g.Config.Config.Labels
	fmt.Println(labels["org.opencontainers.image.title"], labels[verify.DevLabel], g.Config.Config.User)
	// Output: python-base-dev true 65532:65532
}

// A name that a person wrote is that of a base image, or with -dev of its twin.
func ExampleNamed() {
	_, isTwin := variants.Named("python-base-dev", variants.Options{}).(variants.Dev)
	fmt.Println(isTwin, variants.Named("ruby-base", variants.Options{}))
	// Output: true <nil>
}
