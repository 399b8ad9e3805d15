package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestHealthcheck(t *testing.T) {
	broken := []string{"config:Healthcheck"}
	test := func(argv ...string) func(*v1.Config) {
		return func(c *v1.Config) { c.Healthcheck = &v1.HealthConfig{Test: argv} }
	}
	testRule(t, "healthcheck", []breach{
		{name: "clean"},
		{name: "shell form", config: test("CMD-SHELL", "curl -f localhost"), want: broken},
		{name: "a shell", config: test("CMD", "/bin/sh", "-c", "true"), want: broken},
		{name: "curl is not there", config: test("CMD", "curl", "-f", "localhost"), want: broken},
		{name: "a missing script", config: test("CMD", "python", "/app/health.py"), want: broken},
		{name: "nothing", config: test("CMD"), want: broken},
		{name: "no kind", config: test("python", "/app/main.py"), want: broken},
		{name: "near: none", config: test("NONE")},
		{name: "near: the base's", config: test()},
		{name: "near: Python", config: test("CMD", "python", "-c", "import urllib.request")},
	})
}
