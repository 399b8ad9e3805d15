package rules_test

import (
	"strings"
	"testing"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestBase(t *testing.T) {
	const nameLabel, digestLabel, locks = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest", "io.github.lucid-project.lock.digest"
	digest := "sha256:" + strings.Repeat("b2", 32)
	for name, c := range map[string]struct {
		labels, want map[string]string
		found        []string
	}{
		"both":                   {labels: map[string]string{nameLabel: "registry.example.com/debian:12", digestLabel: digest}},
		"locks alone":            {labels: map[string]string{locks: digest}},
		"name with true digest":  {labels: map[string]string{nameLabel: "debian@" + digest, digestLabel: digest}},
		"the lock's":             {labels: map[string]string{locks: digest}, want: map[string]string{locks: digest}},
		"none":                   {found: []string{"config:Labels: no label says what the image was made from"}},
		"empty":                  {labels: map[string]string{nameLabel: "", digestLabel: ""}, found: []string{"config:Labels: no label says"}},
		"name alone":             {labels: map[string]string{nameLabel: "debian:12"}, found: []string{"config:Labels." + digestLabel + ": missing"}},
		"digest alone":           {labels: map[string]string{digestLabel: digest}, found: []string{"config:Labels." + nameLabel + ": missing"}},
		"short digest":           {labels: map[string]string{nameLabel: "debian", digestLabel: "sha256:b2"}, found: []string{"config:Labels." + digestLabel + `: "sha256:b2" is no digest`}},
		"bad name":               {labels: map[string]string{nameLabel: "De Bian", digestLabel: digest}, found: []string{"config:Labels." + nameLabel + `: "De Bian" is no image reference`}},
		"name with other digest": {labels: map[string]string{nameLabel: "debian@sha256:" + strings.Repeat("c3", 32), digestLabel: digest}, found: []string{"config:Labels." + digestLabel + ": "}},
		"bad locks":              {labels: map[string]string{locks: "latest"}, found: []string{"config:Labels." + locks + `: "latest" is no digest`}},
		"other than the lock's":  {labels: map[string]string{locks: digest}, want: map[string]string{locks: "sha256:" + strings.Repeat("d4", 32)}, found: []string{"config:Labels." + locks + ": "}},
		"without the lock's":     {labels: map[string]string{locks: digest}, want: map[string]string{"other": "x"}, found: []string{`config:Labels.other: missing, the lock says "x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			config := cleanConfig()
			config.Labels = c.labels
			got := found(t, "base", imageOf(t, config, cleanLayer()), verify.Contract{Labels: c.want})
			startsWith(t, c.found, got)
		})
	}
}
