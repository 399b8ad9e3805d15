package lucidtest_test

import (
	"net/http"
	"testing"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// A test of a service that runs with another one and a real Redis.
func Example() {
	test := func(t *testing.T) {
		c := lucidtest.Run(t, gateway(),
			lucidtest.Env("LOG_LEVEL", "debug"),
			lucidtest.WaitHTTP("/health"),
			lucidtest.Peers(t, map[string]lucidtest.Peer{
				"redis": {
					Packages: []string{"redis-server"}, // Debian's
					Options:  []lucidtest.Option{lucidtest.Args("redis-server", "--protected-mode", "no"), lucidtest.WaitPort(6379)},
				},
				"orders": {Spec: gateway(), Options: []lucidtest.Option{lucidtest.Env("LOG_LEVEL", ""), lucidtest.WaitHealthy()}},
			}))
		res, err := c.Client().Get("http://gateway:8000/health")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	_ = test
}

// An image of any origin runs like one that was built: this one in Docker, where
// LUCIDTEST_ENGINE=docker is in the environment.
func ExampleRunImage() {
	test := func(t *testing.T) {
		img := lucidtest.Image(t, gateway()) // or what go-containerregistry has pulled
		img.User("65532:65532")
		img.SizeUnder(80_000_000)
		c := lucidtest.RunImage(t, img, lucidtest.WaitHealthy())
		if out := c.Exec("python", "-c", "import fastapi"); out.Code != 0 {
			t.Fatal(out.Stderr)
		}
		if code := c.Stop(); code != 0 {
			t.Fatal(code)
		}
	}
	_ = test
}

// A change of what is built is seen in review: nothing is built for it. LUCID_UPDATE=1
// writes the file.
func ExampleGolden() {
	test := func(t *testing.T) {
		lucidtest.Golden(t, gateway(), "testdata/gateway.golden")
	}
	_ = test
}
