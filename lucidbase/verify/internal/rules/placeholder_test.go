package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// A placeholder is one wherever it stands, and a secret beside it is still found.
func TestPlaceholderPlaces(t *testing.T) {
	for text, want := range map[string]bool{
		"|1 SECRET_KEY=dummy-for-build /bin/sh -c python manage.py collectstatic": false,
		"RUN SECRET_KEY='not important' DB_PASSWORD=notimportant make":            false,
		"RUN DATABASE_URL=postgres://app:dummy@db/app make":                       false,
		"RUN SECRET_KEY=dummy-for-build DB_PASSWORD=hunter2 make":                 true,
		"RUN DATABASE_URL=postgres://app:hunter2@db/app SECRET_KEY=dummy make":    true,
	} {
		config := v1.ConfigFile{History: []v1.History{{CreatedBy: text}}}
		require.Equal(t, want, len(verify.Check(&config, nil, verify.Contract{Only: []string{"secret-config"}})) == 1, text)
	}
	found := func(at, body string) int {
		return len(brokenBy(t, "secret-file", imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file(at, body)})))
	}
	require.Zero(t, found("/app/settings.ini", "password = dummy-for-build\n"))
	require.Equal(t, 1, found("/app/settings.ini", "password = hunter2hunter\n"))
}
