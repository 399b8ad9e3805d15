package rules_test

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// findings are those of an image that Scan has read.
func findings(t testing.TB, img v1.Image, c verify.Contract) []verify.Finding {
	t.Helper()
	r, err := verify.Image(t.Context(), img, c, nil)
	require.NoError(t, err)
	return r.Findings
}

// brokenBy returns "path: found" of each finding of one rule.
func brokenBy(t testing.TB, rule string, img v1.Image) []string {
	t.Helper()
	require.True(t, slices.ContainsFunc(verify.Rules(), func(r verify.Rule) bool { return r.Name == rule }), rule)
	var out []string
	for _, f := range findings(t, img, verify.Contract{Only: []string{rule}}) {
		out = append(out, f.Path+": "+f.Found)
	}
	return out
}

// breach is an image that breaks a rule, or does not: want lists the paths of the
// findings. The layers come on top of cleanLayer.
type breach struct {
	name   string
	layers [][]tarEntry
	config func(*v1.Config)
	want   []string
}

func one(entries ...tarEntry) [][]tarEntry { return [][]tarEntry{entries} }

func testRule(t *testing.T, rule string, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			config := cleanConfig()
			if b.config != nil {
				b.config(&config)
			}
			img := imageOf(t, config, append([][]tarEntry{cleanLayer()}, b.layers...)...)
			var paths []string
			for _, f := range findings(t, img, verify.Contract{Only: []string{rule}}) {
				paths = append(paths, f.Path)
				require.NotEmpty(t, f.Found)
			}
			require.Equal(t, b.want, paths)
		})
	}
}

// checkWith checks an image of one layer more whose files were changed after Scan.
func checkWith(t *testing.T, rule string, change func(*scan.File), entries ...tarEntry) []string {
	t.Helper()
	img := imageOf(t, cleanConfig(), cleanLayer(), entries)
	layers, err := img.Layers()
	require.NoError(t, err)
	facts, err := verify.ScanAll(t.Context(), layers, nil)
	require.NoError(t, err)
	for i := range facts[1].Files {
		change(&facts[1].Files[i])
	}
	config, err := img.ConfigFile()
	require.NoError(t, err)
	var paths []string
	for _, f := range verify.Check(config, facts, verify.Contract{Only: []string{rule}}) {
		paths = append(paths, f.Path)
	}
	return paths
}

// found returns "path: found" of each finding of one rule under a contract.
func found(t *testing.T, rule string, img v1.Image, c verify.Contract) []string {
	t.Helper()
	c.Only = []string{rule}
	var out []string
	for _, f := range findings(t, img, c) {
		out = append(out, f.Path+": "+f.Found)
	}
	return out
}

func startsWith(t *testing.T, want, got []string) {
	t.Helper()
	require.Len(t, got, len(want), "%q", got)
	for i := range want {
		require.True(t, strings.HasPrefix(got[i], want[i]), "%q", got[i])
	}
}
