package lucidbase_test

import (
	"fmt"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/lucidbase"
)

// A function is a Spec too, like http.HandlerFunc is a Handler.
func ExampleSpecFunc() {
	hello := lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		if err := p.Validate(); err != nil {
			return lucidbase.Graph{}, err
		}
		return lucidbase.Graph{State: llb.Scratch().File(llb.Mkfile("/hello", 0o644, []byte("hello\n")))}, nil
	})
	var spec lucidbase.Spec = hello
	_, err := spec.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64})
	fmt.Println(err)
	// Output: Platforms.Build: platform "/": not one of linux/amd64, linux/arm64
}

func ExampleParsePlatform() {
	p, err := lucidbase.ParsePlatform("linux/arm64/v8")
	fmt.Println(lucidbase.FormatPlatform(p), err)
	// Output: linux/arm64 <nil>
}
