package rules_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
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
func keyIn(p string) func(*scan.File) {
	return func(f *scan.File) {
		if f.Path == p {
			f.Secrets = []secrets.Secret{{Kind: "PEM private key", Line: 3}}
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
					all[i] = file(e.Name, e.Body+"Summary: another\n")
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
			facts, err := verify.ScanAll(t.Context(), layers, nil)
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
			for _, f := range verify.Check(config, facts, verify.Contract{Only: []string{"secret-file"}, Distributions: c.lock}) {
				if !strings.HasSuffix(f.Path, ".netrc") || strings.HasSuffix(c.path, ".netrc") {
					paths = append(paths, strings.TrimPrefix(f.Path, site))
				}
			}
			require.Equal(t, c.want, paths)
		})
	}
}
