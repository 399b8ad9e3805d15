package main

import (
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

// The gateway asks both others, each by its name.
func TestGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs images")
	}
	c := lucidtest.Run(t, gateway, lucidtest.WaitHealthy(), lucidtest.Peers(t, map[string]lucidtest.Peer{
		"orders": {Spec: orders, Options: []lucidtest.Option{lucidtest.WaitHealthy()}},
		"users":  {Spec: users, Options: []lucidtest.Option{lucidtest.WaitHealthy()}},
	}))
	for _, want := range []string{"gateway: orders: asked 1 times, users: nobody", "gateway: orders: asked 2 times, users: nobody"} {
		res, err := c.Client().Get("http://gateway:8000/")
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, string(text))
	}
}

// The images have all layers in common but the last.
func TestOneLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds images")
	}
	var shared []v1.Hash
	for _, s := range []variants.Service{gateway, orders, users} {
		img := lucidtest.Image(t, s)
		img.HasDistribution("jinja2", "")
		config, err := img.ConfigFile()
		require.NoError(t, err)
		layers := config.RootFS.DiffIDs
		if shared == nil {
			shared = layers[:len(layers)-1]
		}
		require.Equal(t, shared, layers[:len(layers)-1], s.Name)
	}
}
