package secrets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaceholder(t *testing.T) {
	for _, value := range []string{
		"dummy-for-build", "notimportant", "not-important", "changeme", "CHANGE_ME!!!", "changeme123", "ChangeMe2024", "please-change-me", "example", "example-secret", "placeholder", "placeholder_value", "test", "test123", "testing-only",
		"test-secret-key", "dummy", "dummysecret", "DummySecretKey", "insecure", "insecure-default-key", "insecure-secret-for-dev", "django-insecure-build-only", "not-a-secret", "notasecret", "this-is-not-a-secret", "not a real key",
		"unused", "unused-at-build-time", "only-for-build", "for-collectstatic-only", "build-time-only", "build", "fake-key", "fakepassword", "mock", "sample-token", "does-not-matter", "doesn't matter", "dont-use-in-production", "whatever",
		"foo", "foobar", "foo-bar", "dev", "dev-secret", "local-dev-key", "temporary-key", "throwaway", "must-be-set-at-runtime", "to-be-replaced", "secret-key-for-tests", "testpassword", "TODO: set this", "dummy-lucid-gateway-key",
	} {
		if value == "build" { // says nothing of the value
			require.False(t, IsPlaceholder(value))
			continue
		}
		require.True(t, IsPlaceholder(value), value)
	}
	for _, value := range []string{
		"hunter2", "s3cr3t", "Pa$$w0rd99", "password", "secret", "supersecretkey", "admin", "postgres", "letmein", "correct-horse-battery-staple", "a-b-c", "x", "9f8e7d6c5b4a", "dGVzdA==", "tr0ub4dor&3",
		"django-insecure-4k@9#z!b7x$m2p^w8q&r5t*y1u(i3o)", "django-insecure-x", "test-9f8e7d6c5b4a3f2e", "dev-Xk29fQpL8vTz", "dummy-8f7a6b5c4d3e2f1a", "prod-key", "Test1234!", "Summer2024", "exampl3-k9Qz7w", "testament", "devotion-of-the-many-horses",
		"changemeXk29fQpL8vTzW3", "insecureQ9x7Kz2LmP4v", "qwertz-test-asdf-hjkl", "example" + "9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c",
	} {
		require.False(t, IsPlaceholder(value), value)
	}
}
