package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// What is built is held to the contract, runs, and has the file.
func TestCompany(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an image")
	}
	img := lucidtest.Image(t, Company{Region: "eu"})
	img.User("65532:65532")
	img.NoFile("/bin/sh")
	const program = "import tomllib; print(tomllib.load(open('/etc/company.toml', 'rb')))"
	c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", program))
	require.Equal(t, 0, c.Wait(), c.Logs())
	require.Equal(t, "{'region': 'eu'}\n", c.Logs())
}
