package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

func TestParseCaches(t *testing.T) {
	arm := graph{platform: lucidbase.LinuxARM64}
	for _, c := range []struct {
		direction, text, kind string
		attrs                 map[string]string
	}{
		{"from", "registry.example.com/lucid/cache", "registry", map[string]string{"ref": "registry.example.com/lucid/cache:latest-gateway-linux-arm64"}},
		{"to", "type=registry,ref=registry.example.com/lucid/cache:main,mode=max,compression=zstd", "registry",
			map[string]string{"ref": "registry.example.com/lucid/cache:main-gateway-linux-arm64", "mode": "max", "compression": "zstd"}},
		{"from", "type=local,src=/ci/cache", "local", map[string]string{"src": "/ci/cache/gateway-linux-arm64"}},
		{"to", `type=local,"dest=/ci,cd/cache",tag=main`, "local", map[string]string{"dest": "/ci,cd/cache/gateway-linux-arm64", "tag": "main"}},
	} {
		parsed, err := parseCaches(c.direction, []string{c.text})
		require.NoError(t, err)
		got := parsed[0].of("gateway", arm)
		require.Equal(t, c.kind, got.Type)
		require.Equal(t, c.attrs, got.Attrs)
	}
	for text, says := range map[string]string{
		"type=inline":                     "is written into the image's config, and changes its digest",
		"type=gha":                        "type=gha is not registry or local",
		"type=registry":                   "no ref=",
		"type=local,src=/x":               "no dest=",
		"type=registry,ref=UPPER/x":       "can only contain",
		"type=registry,ref=a/b,mode=most": "mode=most is not min or max",
		"type=registry,ref=a/b,max":       `"max" is not KEY=VALUE`,
		`type=registry,ref="a/b`:          `bare " in non-quoted-field`,
		"":                                "no ref=",
	} {
		_, err := Open(t.Context(), "unix:///nonexistent/a.sock", WithCacheDir(t.TempDir()), WithCacheTo(text))
		require.ErrorContains(t, err, says)
		require.ErrorAs(t, err, new(*CacheError))
	}
}

// The caches of an insecure registry are insecure, and no others.
func TestInsecureCaches(t *testing.T) {
	e := &Engine{options: options{
		insecure:  []string{"r.example:5000"},
		cacheFrom: []string{"r.example:5000/lucid/cache", "r.example/lucid/cache", "type=local,src=/ci"},
		cacheTo:   []string{"type=registry,ref=r.example:5000/lucid/cache"},
	}}
	require.NoError(t, e.openCaches())
	marked := func(all []cacheEntry) (values []string) {
		for _, c := range all {
			values = append(values, c.attrs[insecureAttr])
		}
		return values
	}
	require.Equal(t, []string{"true", "", ""}, marked(e.cacheFrom))
	require.Equal(t, []string{"true"}, marked(e.cacheTo))
}

// A tag is never longer than registries take.
func TestSlug(t *testing.T) {
	long := ""
	for range 30 {
		long += "service-"
	}
	require.Len(t, slug(long), maxTag)
	require.NotEqual(t, slug(long+"a"), slug(long+"b"))
	require.Equal(t, "v1-a-linux-arm64", slug("v1-a-linux/arm64"))
}
