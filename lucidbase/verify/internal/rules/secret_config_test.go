package rules_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestSecretConfigEnv(t *testing.T) {
	for _, kv := range []string{
		"TOKEN=9f8e7d6c5b4a", "DB_PASSWORD=hunter2", "db_password=hunter2", "DBPASSWORD=x", "DB_PASS=1234", "dbPassword=x", "API_KEY=4f3c2b1a99", "SECRET_KEY=django-insecure-x", "SECRET_KEY_BASE=0123456789abcdef",
		"AWS_SECRET_ACCESS_KEY=abcdefghij", "PRIVATE_KEY=MIIEvQIBADAN", "GITHUB_TOKEN_PROD=abcdefgh1", "REDIS_CREDENTIALS=user/pass-1", "CLIENT_SECRET=a-b-c", "NPM_AUTH=dXNlcjpwYXNz", "VAULT_SECRET_ID=1234-5678-x",
		"DB_PASSWORD=Pa$sw0rd99", "DATABASE_URL=postgres://app:pa$sw0rd@db/app", "FERNET_KEY=k9-0123456789", "SSHPASS=hunter2", "REDISCLI_AUTH=0123456789ab", "BEARER=0123456789abcdef",
		"INDEX=https://ghp_" + strings.Repeat("a1", 18) + "@host/simple", "X=eyJhbGciOiJSUzI1NiJ9" + ".eyJpc3MiOiJrOHMifQAA." + strings.Repeat("a1", 18),
		"DATABASE_URL=postgres://app:s3cr3t@db/app", "REDIS=redis://:s3cr3t@cache:6379", "HTTPS_PROXY=http://me:pw@proxy:3128", "X=AKIAIOSFODNN7ABCDEFG", "X=ghp_" + strings.Repeat("a1", 18),
		"BOT=xoxb-123456789012-abcdefghijkl", "PW=-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----",
	} {
		t.Run(kv[:min(len(kv), 24)], func(t *testing.T) {
			got := brokenBy(t, "secret-config", imageOf(t, v1.Config{Env: []string{kv}}))
			name, value, _ := strings.Cut(kv, "=")
			require.Len(t, got, 1)
			require.True(t, strings.HasPrefix(got[0], "config:Env."+name+": "), got[0])
			if len(value) > 2 {
				require.NotContains(t, got[0], value)
			}
		})
	}
	for _, kv := range []string{
		"GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PYTHON_SHA256=" + strings.Repeat("ab", 32), "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "TOKEN_FILE=/run/secrets/x", "TOKEN=/run/secrets/x", "TOKEN=",
		"PASSWORD_HASHER=argon2", "SECRET_KEY_FILE=/run/k", "AUTH_ENABLED=true", "AUTH=false", "TOKEN_URL=https://example.com/token", "TOKENIZERS_PARALLELISM=false", "MAX_TOKENS=4096", "TOKEN_TTL=3600", "ACCESS_TOKEN_EXPIRE_MINUTES=30",
		"PASSWORD=${DB_PASSWORD}", "PASSWORD=$(DB_PASSWORD)", "PASSWORD=$password", "PASSWORD=db-$DB_PASSWORD", "FERNET_KEY_FILE=/run/fernet", "PASSWORD=changeme", "API_KEY=<your key>", "SECRET_NAME=db-credentials", "PWD=/app", "OLDPWD=/", "PUBLIC_KEY=MFkwEwYHKoZIzj0CAQ", "KEY=value", "PASSENGER=bus", "COMPASS=north", "SECRETS_DIR=/run/secrets",
		"DATABASE_URL=postgres://db/app", "IMAGE=registry.example.com:5000/a@sha256:abc", "EMAIL=https://user@example.com", "DB_URL=postgres://$USER:$PASS@db/app", "CREDENTIALS=arn:aws:secretsmanager:eu:1:x", "AWS=AKIAIOSFODNN7EXAMPLE", "AUTHOR=somebody else", "KEYBOARD=de", "ACCESS_KEY_ID=name-of-a-key",
	} {
		t.Run("near "+kv[:min(len(kv), 30)], func(t *testing.T) {
			require.Empty(t, brokenBy(t, "secret-config", imageOf(t, v1.Config{Env: []string{kv}})))
		})
	}
}

func TestSecretConfigElsewhere(t *testing.T) {
	history := func(s string) v1.ConfigFile { return v1.ConfigFile{History: []v1.History{{CreatedBy: s}}} }
	label := func(k, v string) v1.ConfigFile {
		return v1.ConfigFile{Config: v1.Config{Labels: map[string]string{k: v}}}
	}
	for _, c := range []struct {
		name   string
		config v1.ConfigFile
		want   string
	}{
		{"a label's name", label("com.example.api-token", "9f8e7d6c5b4a"), "config:Labels.com.example.api-token"},
		{"a label's value", label("deploy", "glpat-abcdefghijklmnopqrst"), "config:Labels.deploy"},
		{"a command's option", v1.ConfigFile{Config: v1.Config{Cmd: []string{"serve", "--password", "hunter2"}}}, "config:Cmd"},
		{"an entrypoint's option", v1.ConfigFile{Config: v1.Config{Entrypoint: []string{"serve", "--api-key=4f3c2b1a99"}}}, "config:Entrypoint"},
		{"a health check's header", v1.ConfigFile{Config: v1.Config{Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "curl", "-H", "Authorization: Bearer abcdefgh12"}}}}, "config:Healthcheck"},
		{"a build argument", history("|1 NPM_TOKEN=9f8e7d6c5b4a /bin/sh -c npm ci"), "config:History.1"},
		{"an ENV line", history("/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2"), "config:History.1"},
		{"an ARG line", history("ARG SECRET_KEY=a-b-c"), "config:History.1"},
		{"an echo", history(`RUN /bin/sh -c echo "password=hunter2" > /root/x`), "config:History.1"},
		{"JSON", history(`RUN echo '{"password": "hunter2"}' > /x`), "config:History.1"},
		{"an index with a password", history("RUN pip install --index-url https://me:pw12@pypi.example.com/simple x"), "config:History.1"},
		{"curl", history("RUN curl -u me:pw12 https://example.com"), "config:History.1"},
		{"docker login", history("RUN docker login -u me -p hunter2x registry.example.com"), "config:History.1"},
		{"sshpass", history("RUN sshpass -p hunter2x ssh host"), "config:History.1"},
		{"aws", history("RUN aws configure set aws_secret_access_key " + strings.Repeat("aB3d", 10)), "config:History.1"},
		{"netrc", history("RUN echo 'machine h login me password hunter2x' > ~/.netrc"), "config:History.1"},
		{"chpasswd", history("RUN echo root:toor | chpasswd"), "config:History.1"},
		{"a comment", v1.ConfigFile{History: []v1.History{{Comment: "token ghp_" + strings.Repeat("a1", 18)}}}, "config:History.1"},

		{"near: a label about secrets", label("com.example.secrets.scanned", "2024-01-01"), ""},
		{"near: a label whose owner is called so", label("io.token-project.version", "1.2.3-build-5"), ""},
		{"near: a mounted secret", history("RUN --mount=type=secret,id=token,env=PIP_TOKEN,target=/run/secrets/token pip install x"), ""},
		{"near: a variable", history(`RUN |1 PIP_TOKEN=$TOKEN sh -c pip --token "$PIP_TOKEN" && docker login --password-stdin`), ""},
		{"near: the official image's", history(`RUN /bin/sh -c set -eux; wget -O python.tar.xz "https://example.com/x"; echo "$PYTHON_SHA256 *python.tar.xz" | sha256sum -c -; GNUPGHOME="$(mktemp -d)"; export GNUPGHOME; gpg --recv-keys "$GPG_KEY"`), ""},
		{"near: docker login from a variable", history(`RUN docker login -u me -p "$TOKEN" h && docker run -p 80:80 x && mkdir -p /x`), ""},
		{"near: an argument without a value", history("ARG DB_PASSWORD"), ""},
		{"near: an identifier", history("RUN useradd -u 1000:1000 --uid 65532 app"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var paths []string
			for _, f := range verify.Check(&c.config, nil, verify.Contract{Only: []string{"secret-config"}}) {
				paths = append(paths, f.Path)
			}
			if c.want == "" {
				require.Empty(t, paths)
				return
			}
			require.Equal(t, []string{c.want}, paths)
		})
	}
}
