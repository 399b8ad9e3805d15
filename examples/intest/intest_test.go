// Package intest is a test alone: it starts a service that is described nowhere else, as a
// repository may that builds its images with lucidbase.yaml or in another program.
package intest_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

func TestEcho(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an image")
	}
	echo := variants.Service{
		Name:    "echo",
		Base:    variants.Bare{},
		Source:  []variants.Source{{From: variants.Dir("src"), To: "/app/src"}},
		Command: []string{"python", "-m", "src.echo"},
		Port:    8000,
	}
	c := lucidtest.Run(t, echo, lucidtest.Env("GREETING", "Hello"), lucidtest.WaitHTTP("/"))
	res, err := http.Get(c.URL() + "/world")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "Hello /world\n", string(text))
	require.Contains(t, c.Logs(), `"GET /world HTTP/1.1" 200`)
	require.Equal(t, 143, c.Stop())
}
