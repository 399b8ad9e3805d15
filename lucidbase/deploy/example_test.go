package deploy_test

import (
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/deploy"
	"github.com/lucid-project/base-images/variants"
)

func hello() ([]variants.Service, deploy.References) {
	service := variants.Service{Name: "hello", Base: variants.Python{}, Command: []string{"python", "-m", "http.server"}, Port: 8000}
	ref := "lucid/hello:v1@sha256:" + strings.Repeat("0", 64) // engine.Result.Ref
	return []variants.Service{service}, deploy.References{"hello": ref}
}

func ExampleOverlay() {
	services, images := hello()
	file, err := deploy.Overlay(services, images)
	fmt.Println(err)
	_, service, _ := strings.Cut(string(file), "services:\n")
	fmt.Print(service)
	// Output:
	// <nil>
	//   hello:
	//     image: lucid/hello:v1@sha256:0000000000000000000000000000000000000000000000000000000000000000
	//     cap_drop:
	//     - ALL
	//     pull_policy: if_not_present
	//     read_only: true
	//     security_opt:
	//     - no-new-privileges:true
	//     tmpfs:
	//     - /tmp
	//     user: 65532:65532
}

func ExampleCompose() {
	services, images := hello()
	file, err := deploy.Compose(services, images)
	fmt.Println(err)
	fmt.Println(strings.Contains(string(file), "ports:"))
	// Output:
	// <nil>
	// true
}

func ExampleKubernetes() {
	services, images := hello()
	file, err := deploy.Kubernetes(services, images)
	fmt.Println(err)
	for _, line := range strings.Split(string(file), "\n") {
		if strings.HasPrefix(line, "kind:") {
			fmt.Println(line)
		}
	}
	// Output:
	// <nil>
	// kind: Service
	// kind: Deployment
}
