package secrets_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

const keyBody = "MIIEowIBAAKCAQEAvGzq8pFh3n2kZ0cYb7Wd5tRjUe1oLxs9TfHqVgMwBiXaNyKP"

// TestSecrets writes secrets in two parts: a file with a whole one would be found
// by those who look for secrets in this repo.
func TestSecrets(t *testing.T) {
	begin, end := "-----BEGIN ", "-----END "
	pemOf := func(label, body string) string {
		return begin + label + "-----\n" + body + "\n" + end + label + "-----\n"
	}
	mixed := "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY5zA7"
	for name, c := range map[string]struct{ path, content, want string }{
		"RSA":          {"k", "x\n\n" + pemOf("RSA PRIVATE KEY", keyBody), "PEM private key:3"},
		"PKCS 8":       {"k", pemOf("PRIVATE KEY", keyBody), "PEM private key:1"},
		"encrypted":    {"k", pemOf("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n"+keyBody), "PEM private key:1"},
		"OpenSSH":      {"k", pemOf("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"), "OpenSSH private key:1"},
		"PGP":          {"k", pemOf("PGP PRIVATE KEY BLOCK", "Version: x\n\nlQOYBGPk0Z8BCADEqoMzTnXUhxlqK1x5"), "PGP private key:1"},
		"in JSON":      {"k", `{"k": "` + strings.ReplaceAll(pemOf("PRIVATE KEY", keyBody), "\n", `\n`) + `"}`, "PEM private key:1"},
		"CRLF":         {"k", strings.ReplaceAll(pemOf("EC PRIVATE KEY", keyBody), "\n", "\r\n"), "PEM private key:1"},
		"in a binary":  {"k", "\x00\x01" + pemOf("PRIVATE KEY", keyBody), "PEM private key:1"},
		"far behind":   {"k", strings.Repeat("line\n", 3*scan.BlockSize/5-2) + pemOf("PRIVATE KEY", keyBody), "PEM private key:157285"},
		"DER":          {"k", "\x30\x1a\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" + "0123456789", "DER private key:1"},
		"AWS":          {"k", "id = AKIA" + "2E5TQVWXYZABCD34\n", "AWS access key:1"},
		"AWS secret":   {"k", "\naws_secret_access_key = " + mixed + "bC4d\n", "AWS secret key:2"},
		"GitHub":       {"k", "x: ghp_" + mixed, "GitHub token:1"},
		"GitLab":       {"k", `"glpat-` + mixed[:20] + `"`, "GitLab token:1"},
		"npm":          {".npmrc", "//host/:_authToken=" + mixed, "npm token:1"},
		"login":        {"root/.docker/config.json", `{"auths": {"h": {"auth": "` + mixed + `"}}}`, "registry login:1"},
		"Azure":        {"k", "AccountKey=" + strings.Repeat(mixed, 3)[:86] + "==", "Azure storage key:1"},
		"URL":          {"etc/pip.conf", "[global]\nindex-url = https://me:" + "s3cr3tPw" + "@host/simple\n", "password in a URL:2"},
		"netrc":        {"root/.netrc", "machine h login me password " + "s3cr3tPw" + "\n", "netrc password:1"},
		"pypirc":       {"root/.pypirc", "[pypi]\nusername = me\npassword = " + "s3cr3tPw" + "\n", "password:3"},
		"at the start": {"k", "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH", "Hugging Face token:1"},

		"in an address":               {"k", "git clone https://ghp_" + mixed + "@host/x", "GitHub token:1"},
		"routable GitLab":             {"k", "glpat-" + mixed[:27] + ".01.1a2b3c4d5", "GitLab token:1"},
		"second login":                {".docker/config.json", `{"auths": {"a": {}, "h": {"auth": "` + mixed + `"}}}`, "registry login:1"},
		"npm's login":                 {".npmrc", "//h/:_auth=dXNlcjpwYXNzd29yZDEyMzQ=", "npm login:1"},
		"yarn":                        {".yarnrc.yml", "npmAuthToken: " + mixed, "npm token:1"},
		"AWS JSON":                    {"k", `{"SecretAccessKey": "` + mixed + `bC4d"}`, "AWS secret key:1"},
		"Google client":               {"k", `"client_secret":"GOCSPX-` + mixed[:28] + `"`, "Google client secret:1"},
		"Azure client":                {"k", "x = 'abc" + "8Q~" + mixed[:34] + "'", "Azure client secret:1"},
		"requirements":                {"app/requirements-dev.txt", "--index-url https://me:" + "s3cr3tPw" + "@host/\n", "password in a URL:1"},
		"settings":                    {"app/prod.env", "export DB_PASSWORD=" + "s3cr3tPw" + "\n", "password:1"},
		"kubeconfig":                  {"root/.kube/config", "  token: " + "eyJhbGciOiJSUzI1NiJ9" + ".eyJpc3MiOiJrOHMifQAA." + mixed, "access token:1"},
		"WireGuard":                   {"wg0.conf", "PrivateKey = " + mixed + "aB3dE5f=\n", "WireGuard private key:1"},
		"Ed25519 with its public key": {"k", "\x30\x1a\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70" + "0123456789012345", "DER private key:1"},
		"encrypted DER":               {"k", "\x30\x1a\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d" + "0123456789012", "encrypted DER private key:1"},
		"JCEKS":                       {"k", "\xce\xce\xce\xce\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01" + "alias", "Java keystore with a private key:1"},
		"npm variable":                {".npmrc", "//h/:_auth=${NPM_AUTH}\n//h/:_password=$PASSWORD\n", ""},
		"login of nobody":             {".docker/config.json", `{"auths": {"a": {}, "h": {"auth": ""}}, "proxies": {"default": {}}}`, ""},
		"password variable":           {"app/prod.env", "DB_PASSWORD=${DB_PASSWORD}\nDB_PASSWORD=/run/secrets/db\n", ""},
		"requirements' variables":     {"app/requirements.txt", "--index-url https://${U}:${P}@host/\n", ""},
		"certificate":                 {"k", pemOf("CERTIFICATE", keyBody), ""},
		"public key":                  {"k", pemOf("PUBLIC KEY", keyBody), ""},
		"header in code":              {"k", "_START = b\"" + begin + "RSA PRIVATE KEY-----\"\n_END = b\"" + end + "RSA PRIVATE KEY-----\"\n", ""},
		"header in a text":            {"k", begin + "PRIVATE KEY-----\n...\n" + end + "PRIVATE KEY-----\n", ""},
		"example":                     {"k", pemOf("PRIVATE KEY", "MII"+"EXAMPLEEXAMPLEEXAMPLEEXAMPLE"), ""},
		"AWS' example":                {"k", "AKIA" + "IOSFODNN7EXAMPLE", ""},
		"inside a word":               {"k", "MAKIA" + "2E5TQVWXYZABCD34 xghp_" + mixed, ""},
		"too short":                   {"k", "ghp_" + mixed[:20], ""},
		"filler":                      {"k", "ghp_" + strings.Repeat("x", 36), ""},
		"shadow":                      {"etc/shadow", "root:*:1::::::\nme:$y$j9T$" + "s3cr3tPwHash:1::::::\n", "hash of a password:2"},
		"locked shadow":               {"etc/shadow", "root:*:1::::::\nme:!$y$j9T$" + "s3cr3tPwHash:1::::::\n", ""},
		"URL of docs":                 {"doc.md", "https://me:" + "s3cr3tPw" + "@host/", ""},
		"URL placeholder":             {"etc/pip.conf", "index-url = https://user:password@host/simple\n", ""},
		"URL variable":                {"etc/pip.conf", "index-url = https://me:${TOKEN}@host/\n", ""},
		"example settings":            {"app/config.example.toml", "u = 'https://me:" + "s3cr3tPw" + "@host/'\n", ""},
		"no login":                    {"root/.docker/config.json", `{"auths": {}, "credsStore": "x"}`, ""},
		"DER certificate":             {"k", "\x30\x1a\x30\x10\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x0d\x06\x09\x2a" + "01234567890", ""},
		"a library's tests":           {"k.so", string(craftELF(elfSpec{})) + pemOf("PRIVATE KEY", keyBody), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := scan.Layer(t.Context(), bytesLayer(tarOf(t, file(c.path, c.content))))
			require.NoError(t, err)
			var got []string
			for _, s := range f.Files[0].Secrets {
				got = append(got, s.Kind+":"+strconv.Itoa(s.Line))
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}
