package lucidtest_test

import (
	"net/http"
	"testing"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// A test of a service that runs with another one.
func Example() {
	test := func(t *testing.T) {
		c := lucidtest.Run(t, gateway(),
			lucidtest.Env("LOG_LEVEL", "debug"),
			lucidtest.WaitHTTP("/health"),
			lucidtest.Peers(t, map[string]lucidtest.Peer{
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
