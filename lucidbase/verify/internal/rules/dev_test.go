package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func labelled(value string) func(*v1.Config) {
	return func(c *v1.Config) { c.Labels[verify.DevLabel] = value }
}

// No image passes for a twin whose label does not say so, and no twin for anything else.
func TestDev(t *testing.T) {
	testRule(t, "dev", []breach{
		{name: "clean"},
		{name: "a twin", config: labelled("true"), want: []string{"config:Labels." + verify.DevLabel}},
		{name: "a label that says no", config: labelled("false"), want: []string{"config:Labels." + verify.DevLabel}},
	})
	twin := verify.Contract{Only: []string{"dev"}, Dev: true}
	for value, want := range map[string]int{"true": 0, "false": 1, "": 1} {
		config := cleanConfig()
		labelled(value)(&config)
		require.Len(t, findings(t, imageOf(t, config, cleanLayer()), twin), want, value)
	}
	require.Len(t, findings(t, imageOf(t, cleanConfig(), cleanLayer()), twin), 1, "no label")
}

// A twin has a shell, scripts and pip, and its user owns where pip installs; everything else
// that no image may have, it may not either.
func TestDevContract(t *testing.T) {
	config := cleanConfig()
	labelled("true")(&config)
	owned := dir("/opt/packages")
	owned.Uid, owned.Gid = 65532, 65532
	elsewhere := dir("/opt/other")
	elsewhere.Uid, elsewhere.Gid = 65532, 65532
	img := imageOf(t, config, cleanLayer(), []tarEntry{
		program("/usr/bin/bash", "b"), program("/app/run", "#!/usr/bin/bash\n"), program("/usr/local/bin/pip", "p"), owned, elsewhere,
		program("/usr/bin/gcc", "g"), file("/root/.netrc", "machine x login y password z\n"),
	})
	found := map[string]string{}
	for _, f := range findings(t, img, verify.Contract{Dev: true}) {
		found[f.Rule] += f.Path
	}
	for _, rule := range []string{"shell", "script", "package-manager", "dev"} {
		require.NotContains(t, found, rule)
	}
	require.Equal(t, "/opt/other", found["owner"])
	require.Contains(t, found, "compiler")
	require.Contains(t, found, "secret-file")
}
