package rules_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestDeleted(t *testing.T) {
	testRule(t, "deleted", []breach{
		{name: "clean"},
		{name: "a file", layers: [][]tarEntry{{file("/app/key", "abc")}, {whiteout("/app/key")}}, want: []string{"/app/key"}},
		{name: "a directory", layers: [][]tarEntry{{dir("/srv/d"), file("/srv/d/a", "abc"), link("/srv/d/e/b", "a")}, {whiteout("/srv/d")}}, want: []string{"/srv/d"}},
		{name: "of two layers", layers: [][]tarEntry{{file("/srv/a", "abc")}, {file("/srv/b", "abc")}, {opaque("/srv")}}, want: []string{"/srv/a", "/srv/b"}},
		{name: "opaque", layers: [][]tarEntry{{file("/srv/d/a", "abc"), file("/srv/d/b", "abc")}, {opaque("/srv/d"), file("/srv/d/b", "new")}}, want: []string{"/srv/d/a"}},
		{name: "a directory becomes a link", layers: [][]tarEntry{{file("/srv/d/a", "abc")}, {link("/srv/d", "/app")}}, want: []string{"/srv/d/a"}},
		{name: "near: of nothing", layers: one(whiteout("/app/never"), opaque("/nowhere"))},
		{name: "near: replaced", layers: [][]tarEntry{{file("/app/a", "abc")}, {file("/app/a", "new")}}},
		{name: "near: written again", layers: [][]tarEntry{{file("/app/a", "abc")}, {whiteout("/app/a")}, {file("/app/a", "new")}}},
		{name: "near: an empty directory", layers: [][]tarEntry{{dir("/srv/d")}, {whiteout("/srv/d")}}},
	})
}

func TestDeletedCounts(t *testing.T) {
	img := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/srv/d/a", "abc"), file("/srv/d/b", "de")}, []tarEntry{whiteout("/srv/d")})
	got := brokenBy(t, "deleted", img)
	require.Len(t, got, 1)
	require.Contains(t, got[0], "its 2 files of 5 bytes")
	layers, err := img.Layers()
	require.NoError(t, err)
	second, err := layers[1].DiffID()
	require.NoError(t, err)
	require.Equal(t, second, findings(t, img, verify.Contract{Only: []string{"deleted"}})[0].Layer, fmt.Sprint(got))
}
