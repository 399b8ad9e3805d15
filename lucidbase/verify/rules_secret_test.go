package verify

import (
	"path"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

func TestSecretFileByName(t *testing.T) {
	testRule(t, "secret-file", []breach{
		{name: "clean"},
		{name: "dot files", layers: one(file("/root/.netrc", "x"), file("/home/nonroot/.pypirc", "x"), file("/app/.env", "A=b"), file("/app/.env.production", "A=b"), file("/app/_netrc", "x")),
			want: []string{"/app/.env", "/app/.env.production", "/app/_netrc", "/home/nonroot/.pypirc", "/root/.netrc"}},
		{name: "git", layers: one(file("/app/.git/HEAD", "ref"), file("/app/.git/objects/ab/cd", "x")), want: []string{"/app/.git"}},
		{name: "git in one file", layers: one(file("/app/.git/config", "x")), want: []string{"/app/.git/config"}},
		{name: "ssh", layers: one(file("/root/.ssh/id_ed25519", "x"), file("/app/id_rsa", "x"), file("/etc/ssh/ssh_host_rsa_key", "x")), want: []string{"/app/id_rsa", "/etc/ssh/ssh_host_rsa_key", "/root/.ssh/id_ed25519"}},
		{name: "clouds", layers: one(file("/root/.aws/credentials", "x"), file("/root/.config/gcloud/application_default_credentials.json", "x"), file("/root/.azure/accessTokens.json", "x")),
			want: []string{"/root/.aws/credentials", "/root/.azure/accessTokens.json", "/root/.config/gcloud/application_default_credentials.json"}},
		{name: "stores", layers: one(file("/app/tls.P12", "x"), file("/app/pass.kdbx", "x"), file("/infra/terraform.tfstate", "x"), file("/run/secrets/token", "x")), want: []string{"/app/pass.kdbx", "/app/tls.P12", "/infra/terraform.tfstate", "/run/secrets/token"}},
		{name: "a password's hash", layers: one(file("/etc/passwd", "root:$6$salt$"+strings.Repeat("h", 40)+":0:0::/:/x\n")), want: []string{"/etc/passwd"}},
		{name: "deleted later", layers: [][]tarEntry{{file("/app/.env", "A=b")}, {whiteout("/app/.env")}}, want: []string{"/app/.env"}},

		{name: "near: templates", layers: one(file("/app/.env.example", "A=b"), file("/app/.env.prod.template", "A=b"), file("/app/.env.sample", "A=b"), file("/app/.env-dist", "A=b"))},
		{name: "keys of services", layers: one(file("/etc/krb5.keytab", "x"), file("/root/.terraform.d/credentials.tfrc.json", "{}"), file("/root/.azure/service_principal_entries.json", "[]")),
			want: []string{"/etc/krb5.keytab", "/root/.azure/service_principal_entries.json", "/root/.terraform.d/credentials.tfrc.json"}},
		{name: "near: git of a submodule", layers: one(file("/app/.git", "gitdir: ../.git/modules/x\n"))},
		{name: "near: names that start so", layers: one(file("/app/.environment", "x"), file("/app/netrc.py", "x"), file("/app/.gitignore", "x"), file("/app/.github/x.yml", "x"), file("/app/secrets.py", "x"), file("/app/id_rsa.pub", "x"), file("/app/my.env.py", "x"))},
		{name: "near: nothing in it", layers: one(file("/app/.env", ""), dir("/root/.ssh"), dir("/app/.git"))},
		{name: "near: settings of a cloud", layers: one(file("/root/.aws/config", "[default]\nregion = x\n"), file("/root/.docker/config.json", `{"credsStore":"x"}`))},
		{name: "near: trusted certificates", layers: one(file("/etc/ssl/certs/java/cacerts.jks", "x"), file("/app/truststore.p12", "x"), file("/app/cert.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))},
	})
}

// keyIn marks a file as if Scan had found a key in it.
func keyIn(p string) func(*File) {
	return func(f *File) {
		if f.Path == p {
			f.Secrets = []Secret{{Kind: "PEM private key", Line: 3}}
		}
	}
}

func TestSecretFilePublished(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	whole := func() []tarEntry {
		return distribution(site, "ecdsa", "0.19", file("ecdsa/test_keys.py", "KEY"), file("ecdsa/tests/key.pem", "KEY"), file("ecdsa/key.pem", "KEY"), file("ecdsa/tests/.netrc", "KEY"))
	}
	for _, c := range []struct {
		name, path string
		change     func([]tarEntry) []tarEntry
		lock       map[string]string
		want       []string
	}{
		{name: "near: a test of a distribution", path: "/ecdsa/test_keys.py"},
		{name: "near: a distribution's test data", path: "/ecdsa/tests/key.pem"},
		{name: "near: locked", path: "/ecdsa/key.pem", lock: map[string]string{"ecdsa": "0.19"}},
		{name: "near: data that is no test's", path: "/ecdsa/key.pem"},
		{name: "near: a name of credentials", path: "/ecdsa/tests/.netrc"},
		{name: "of a directory, not an index", path: "/ecdsa/key.pem", want: []string{"/ecdsa/key.pem"}, change: func(all []tarEntry) []tarEntry {
			return append(all, file(site+"/ecdsa-0.19.dist-info/direct_url.json", `{"url":"file:///src/ecdsa","dir_info":{}}`))
		}},
		{name: "near: a test of one's own", path: "/ecdsa/test_keys.py", change: func(all []tarEntry) []tarEntry {
			return append(all, file(site+"/ecdsa-0.19.dist-info/direct_url.json", `{"url":"file:///src/ecdsa","dir_info":{}}`))
		}},
		{name: "a RECORD that lists what is elsewhere", path: "/../../../../../etc/ssl/private/app.key", want: []string{"/etc/ssl/private/app.key"}, change: func(all []tarEntry) []tarEntry {
			return append(all, distribution(site, "forged", "1", file("../../../../../etc/ssl/private/app.key", "KEY"))...)
		}},
		{name: "data changed after it was installed", path: "/ecdsa/key.pem", want: []string{"/ecdsa/key.pem"}, change: func(all []tarEntry) []tarEntry {
			all[2] = file(all[2].Name, "another key")
			return all
		}},
		{name: "locked in another version", path: "/ecdsa/test_keys.py", lock: map[string]string{"ecdsa": "0.18"}, want: []string{"/ecdsa/test_keys.py"}},
		{name: "not locked", path: "/ecdsa/test_keys.py", lock: map[string]string{}, want: []string{"/ecdsa/test_keys.py"}},
		{name: "changed after it was installed", path: "/ecdsa/test_keys.py", want: []string{"/ecdsa/test_keys.py"}, change: func(all []tarEntry) []tarEntry {
			all[0] = file(all[0].Name, "another key")
			return all
		}},
		{name: "added without RECORD", path: "/ecdsa/planted.py", want: []string{"/ecdsa/planted.py"}, change: func(all []tarEntry) []tarEntry {
			return append(all, file(site+"/ecdsa/planted.py", "KEY"))
		}},
		{name: "a RECORD with another METADATA", path: "/ecdsa/test_keys.py", want: []string{"/ecdsa/test_keys.py"}, change: func(all []tarEntry) []tarEntry {
			for i, e := range all {
				if strings.HasSuffix(e.Name, "METADATA") {
					all[i] = file(e.Name, e.body+"Summary: another\n")
				}
			}
			return all
		}},
		{name: "a RECORD without METADATA", path: "/ecdsa/test_keys.py", want: []string{"/ecdsa/test_keys.py"}, change: func(all []tarEntry) []tarEntry {
			var rest []tarEntry
			for _, e := range all {
				if !strings.HasSuffix(e.Name, "METADATA") {
					rest = append(rest, e)
				}
			}
			return rest
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := whole()
			if c.change != nil {
				entries = c.change(entries)
			}
			img := imageOf(t, cleanConfig(), cleanLayer(), entries)
			layers, err := img.Layers()
			require.NoError(t, err)
			facts, err := ScanAll(t.Context(), layers, nil)
			require.NoError(t, err)
			marked := false
			for i := range facts[1].Files {
				keyIn(path.Join(site, c.path))(&facts[1].Files[i])
				marked = marked || len(facts[1].Files[i].Secrets) > 0
			}
			require.True(t, marked)
			config, err := img.ConfigFile()
			require.NoError(t, err)
			var paths []string
			for _, f := range Check(config, facts, Contract{Only: []string{"secret-file"}, Distributions: c.lock}) {
				if !strings.HasSuffix(f.Path, ".netrc") || strings.HasSuffix(c.path, ".netrc") {
					paths = append(paths, strings.TrimPrefix(f.Path, site))
				}
			}
			require.Equal(t, c.want, paths)
		})
	}
}

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
			for _, f := range Check(&c.config, nil, Contract{Only: []string{"secret-config"}}) {
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
