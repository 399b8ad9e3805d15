package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestEnvPath(t *testing.T) {
	testRule(t, "env-path", []breach{
		{name: "clean"},
		{name: "a missing file", config: env("SSL_CERT_FILE=/etc/gone.pem"), want: []string{"config:Env.SSL_CERT_FILE"}},
		{name: "a directory for a file", config: env("CURL_CA_BUNDLE=/etc/ssl/certs"), want: []string{"config:Env.CURL_CA_BUNDLE"}},
		{name: "a dangling link", layers: one(link("/etc/ca.pem", "gone")), config: env("AWS_CA_BUNDLE=/etc/ca.pem"), want: []string{"config:Env.AWS_CA_BUNDLE"}},
		{name: "unreadable", layers: one(file("/etc/ca.pem", "x").WithMode(0o600)), config: env("NODE_EXTRA_CA_CERTS=/etc/ca.pem"), want: []string{"config:Env.NODE_EXTRA_CA_CERTS"}},
		{name: "missing directories", config: env("PYTHONPATH=/app:/srv/lib"), want: []string{"config:Env.PYTHONPATH"}},
		{name: "a missing venv", config: env("VIRTUAL_ENV=/venv"), want: []string{"config:Env.VIRTUAL_ENV"}},
		{name: "a preloaded library", config: env("LD_PRELOAD=/usr/lib/libjemalloc.so.2"), want: []string{"config:Env.LD_PRELOAD"}},
		{name: "no PATH at all", config: func(c *v1.Config) { c.Env = []string{"PATH=/nowhere:/gone"} }, want: []string{"config:Env.PATH"}},
		{name: "another variable", config: env("TIMEZONE_FILE=/usr/share/tz.json"), want: []string{"config:Env.TIMEZONE_FILE"}},

		{name: "near: mounted", config: env("SSL_CERT_FILE=/run/secrets/ca.pem")},
		{name: "near: in a volume", config: func(c *v1.Config) {
			c.Volumes = map[string]struct{}{"/opt/data": {}}
			c.Env = append(c.Env, "RULES_FILE=/opt/data/rules.json")
		}},
		{name: "near: made at run time", config: env("LOG_FILE=/app/log.txt")},
		{name: "near: one of PATH is missing", config: env("PATH=/gone:/usr/bin")},
		{name: "near: through a link", layers: one(link("/etc/pki", "ssl")), config: env("SSL_CERT_DIR=/etc/pki/certs:/etc/ssl/certs")},
		{name: "near: empty", config: env("SSL_CERT_FILE=")},
		{name: "near: a library by name", config: env("LD_PRELOAD=libjemalloc.so.2")},
	})
}
