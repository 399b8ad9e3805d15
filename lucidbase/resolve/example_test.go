package resolve_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/variants"
)

// A program resolves the library's lists afresh and says what is new, as
// "lucidbase lock --check" does.
func ExampleSet() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	lists, err := resolve.DefaultLists()
	if err != nil {
		log.Fatal(err)
	}
	set, err := resolve.Set(ctx, eng.Resolver(), lists)
	if err != nil {
		log.Fatal(err)
	}
	old, err := lock.Default()
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range resolve.Changes(old, set) {
		fmt.Println(line)
	}
}

// A program builds when a locked package has left Debian's archives, too.
func ExampleRelock() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	locks, err := resolve.Relock(ctx, eng.Resolver(), lucidbase.AllPlatforms(), func(line string) { log.Print(line) })
	if err != nil {
		log.Fatal(err)
	}
	_, err = eng.Build(ctx, engine.Job{
		Spec: variants.Python{Locks: locks},
		To:   engine.Push("registry.example.com/lucid/python-base"),
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A program locks a service's list together with the packages of python-base, as
// "lucidbase lock -r requirements.txt --base python-base" does.
func ExampleRequirements() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	locks, err := lock.Default()
	if err != nil {
		log.Fatal(err)
	}
	list, err := resolve.ReadList(ctx, "requirements.txt", os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	locked, err := resolve.Requirements(ctx, eng.Resolver(), locks, resolve.Request{List: list, Base: lock.Python, BaseName: "python-base"})
	if err != nil {
		log.Fatal(err)
	}
	for name, data := range locked.Files("requirements.lock.txt", "# Written by our own program.\n") {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// A program says for each line why a list cannot be locked, and writes a corrected list
// beside it, as "lucidbase lock -r requirements.txt --suggest" does.
func ExampleExplain() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	locks, err := lock.Default()
	if err != nil {
		log.Fatal(err)
	}
	list, err := resolve.ReadList(ctx, "requirements.txt", os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	request := resolve.Request{List: list}
	_, err = resolve.Requirements(ctx, eng.Resolver(), locks, request)
	if err == nil {
		return
	}
	why, err := resolve.Explain(ctx, eng.Resolver(), locks, request, resolve.Failure{Err: err})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range why.Findings {
		fmt.Println(f)
	}
	for name, data := range why.Suggested {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// A program locks the Debian packages of a service, as "lucidbase lock --system libpq5"
// does.
func ExampleSystem() {
	ctx := context.Background()
	eng, err := engine.Open(ctx, "unix:///run/buildkit/buildkitd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	locks, err := lock.Default()
	if err != nil {
		log.Fatal(err)
	}
	system, leftOut, err := resolve.System(ctx, eng.Resolver().Archives, locks.Debian, []string{"libpq5"})
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range leftOut {
		log.Print(line)
	}
	if err := os.WriteFile("gateway.system.lock.json", system.Format(), 0o644); err != nil {
		log.Fatal(err)
	}
}
