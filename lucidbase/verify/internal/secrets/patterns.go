package secrets

import (
	"bytes"
	"regexp"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/match"
)

// patterns are the credentials that are known by their form; none guesses by
// the name of a variable alone.
var patterns = []pattern{
	pem("PEM private key", `(?:(?:RSA|EC|DSA|ANY|ENCRYPTED) )?PRIVATE KEY`),
	pem("OpenSSH private key", `(?:OPENSSH|SSH2 ENCRYPTED) PRIVATE KEY`),
	pem("PGP private key", `PGP PRIVATE KEY BLOCK`),
	{kind: "PEM private key in base64", binary: true, word: "LS0tLS1CRUdJTi", expr: regexp.MustCompile(`^LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFUR|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVEUg|BFTkNSWVBURUQgUFJJVkFUR|BEU0EgUFJJVkFUR)[A-Za-z0-9+/=]{64}`)},
	{kind: "PuTTY private key", binary: true, word: "PuTTY-User-Key-File-", expr: regexp.MustCompile(`^PuTTY-User-Key-File-[23]: [\s\S]{1,900}?\nPrivate-Lines: \d+\s+[A-Za-z0-9+/=]{32}`)},

	token("AWS access key", "AKIA", `AKIA[A-Z2-7]{16}`),
	token("AWS temporary access key", "ASIA", `ASIA[A-Z2-7]{16}`),
	setting("AWS secret key", "aws_secret_access_key", `([A-Za-z0-9/+]{40})`),
	setting("AWS secret key", "AWS_SECRET_ACCESS_KEY", `([A-Za-z0-9/+]{40})`),
	setting("AWS session token", "aws_session_token", `([A-Za-z0-9/+=]{100,})`),
	{kind: "Google service account", word: `"private_key_id"`, back: -1, expr: regexp.MustCompile(`"private_key_id"\s*:\s*"([0-9a-f]{40})"`)},
	token("Google API key", "AIza", `AIza[0-9A-Za-z_-]{35}`),
	{kind: "Azure storage key", word: "AccountKey=", expr: regexp.MustCompile(`^AccountKey=([A-Za-z0-9+/]{86}==)`)},
	token("GitHub token", "ghp_", `ghp_[0-9A-Za-z]{36}`),
	token("GitHub token", "gho_", `gho_[0-9A-Za-z]{36}`),
	token("GitHub token", "ghu_", `ghu_[0-9A-Za-z]{36}`),
	token("GitHub token", "ghs_", `ghs_[0-9A-Za-z]{36}`),
	token("GitHub token", "ghr_", `ghr_[0-9A-Za-z]{36}`),
	token("GitHub token", "github_pat_", `github_pat_[0-9A-Za-z_]{60,}`),
	token("GitLab token", "glpat-", `glpat-[0-9A-Za-z_-]{20,}`),
	token("GitLab token", "gldt-", `gldt-[0-9A-Za-z_-]{20,}`),
	token("GitLab token", "glrt-", `glrt-[0-9A-Za-z_-]{20,}`),
	token("Slack token", "xoxa-", `xoxa-[0-9A-Za-z-]{20,}`),
	token("Slack token", "xoxb-", `xoxb-[0-9A-Za-z-]{20,}`),
	token("Slack token", "xoxp-", `xoxp-[0-9A-Za-z-]{20,}`),
	token("Slack token", "xapp-", `xapp-[0-9]-[0-9A-Za-z-]{20,}`),
	{kind: "Slack webhook", word: "hooks.slack.com/services/", expr: regexp.MustCompile(`^hooks\.slack\.com/services/(T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,})`)},
	setting("npm token", "_authToken", `([0-9A-Za-z_-]{20,})`),
	token("npm token", "npm_", `npm_[0-9A-Za-z]{36}`),
	token("PyPI token", "pypi-AgE", `pypi-AgE[0-9A-Za-z_-]{50,}`),
	token("Stripe key", "sk_live_", `sk_live_[0-9A-Za-z]{20,}`),
	token("Stripe key", "rk_live_", `rk_live_[0-9A-Za-z]{20,}`),
	token("SendGrid key", "SG.", `SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}`),
	token("Hugging Face token", "hf_", `hf_[A-Za-z]{34}`),
	token("OpenAI key", "sk-svcacct-", `sk-svcacct-[0-9A-Za-z_-]{40,}`),
	token("OpenAI key", "sk-proj-", `sk-proj-[0-9A-Za-z_-]{40,}`),
	token("Anthropic key", "sk-ant-", `sk-ant-[0-9A-Za-z_-]{40,}`),
	token("DigitalOcean token", "dop_v1_", `dop_v1_[0-9a-f]{64}`),
	token("Docker Hub token", "dckr_pat_", `dckr_pat_[0-9A-Za-z_-]{27}`),
	token("Docker Hub token", "dckr_oat_", `dckr_oat_[0-9A-Za-z_-]{32}`),
	token("Google client secret", "GOCSPX-", `GOCSPX-[0-9A-Za-z_-]{28,}`),
	token("Google access token", "ya29.", `ya29\.[0-9A-Za-z_-]{40,}`),
	{kind: "Azure client secret", word: "8Q~", back: 3, expr: regexp.MustCompile(`^([0-9A-Za-z_~.-]{3}8Q~[0-9A-Za-z_~.-]{31,34})(?:[^0-9A-Za-z_~.-]|$)`)},
	token("Shopify token", "shpat_", `shpat_[0-9a-f]{32}`),
	token("RubyGems key", "rubygems_", `rubygems_[0-9a-f]{48}`),
	token("Atlassian token", "ATATT3", `ATATT3[0-9A-Za-z_=-]{60,}`),
	{kind: "Terraform Cloud token", word: ".atlasv1.", back: 14, expr: regexp.MustCompile(`^([0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,})`)},
	setting("AWS secret key", "SecretAccessKey", `([A-Za-z0-9/+]{40})`),
	setting("npm login", ":_auth", `([0-9A-Za-z+/=]{8,})`),
	setting("npm login", ":_password", `([0-9A-Za-z+/=]{8,})`),
	setting("npm token", "npmAuthToken", `([0-9A-Za-z_-]{20,})`),
	setting("WireGuard private key", "PrivateKey", `([A-Za-z0-9+/]{43}=)`),
	token("Vault token", "hvs.", `hvs\.[0-9A-Za-z_-]{60,}`),
	token("age private key", "AGE-SECRET-KEY-1", `AGE-SECRET-KEY-1[0-9A-Z]{58}`),

	{kind: "registry login", word: `"auths"`, expr: regexp.MustCompile(`^"auths"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*?\{?[^{}]*?"(?:auth|identitytoken|registrytoken|password)"\s*:\s*"([^"]{6,})"`)},
	setting("Kubernetes client key", "client-key-data", `([A-Za-z0-9+/=]{40,})`),
	{kind: "password in a URL", word: "://", back: -1, settings: true, expr: regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@"'{}<>$%]*:([^\s:/@"'{}<>$]{3,})@[A-Za-z0-9\[]`)},
	{kind: "netrc password", word: "password", settings: true, back: -1, expr: regexp.MustCompile(`^\s*(?:machine\s+\S+\s+)?(?:login\s+\S+\s+)?password\s+([^\s=:]{3,})\s*(?:\n|$)`)},
	{kind: "password", word: "PASSWORD", settings: true, back: -1, expr: regexp.MustCompile(`^\s*(?:export\s+)?[A-Z0-9_]*PASSWORD\s*[:=]\s*["']?([^\s"'\[(,{/]{6,})["']?\s*(?:\n|$)`)},
	{kind: "access token", word: "eyJ", settings: true, expr: regexp.MustCompile(`^(eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,})`)},
	{kind: "password", word: "password", settings: true, back: -1, expr: regexp.MustCompile(`^\s*password\s*[:=]\s*["']?([^\s"'\[(,{]{6,})["']?\s*(?:\n|$)`)},
}

// settingsFile are files that programs read their settings from; what is called an
// example, or stands with documentation, is none.
var (
	settingsFile = regexp.MustCompile(`\.(?:conf|cnf|cfg|ini|toml|tfvars|env|ya?ml|json|properties|list|sources)$|/\.(?:env|git-credentials|gitconfig|netrc|pypirc|npmrc|yarnrc|condarc|curlrc|wgetrc)(?:\.(?:local|prod|production|dev|development|staging|test))?$|/\.git/config$|/\.kube/config$|/etc/environment$|/[._]?netrc$|/(?:requirements|constraints)[^/]*\.txt$|^/etc/apt/auth\.conf`)
	notes        = regexp.MustCompile(`(?i)/(?:docs?|examples?|samples?|tests?|templates?)/|[._-](?:example|sample|template)`)
)

// pem is a private key in PEM (RFC 7468, RFC 1421) or of PGP's armour (RFC 9580).
// It must have a body of base64, behind a line break or one written as "\n" in a
// string, be it a short one before the last line: a text that only mentions the
// first line has none.
func pem(kind, label string) pattern {
	const gap = `(?:\\[nr]|[\s"'+,|>\\-])+`
	const headers = `(?:[A-Z][A-Za-z-]+: [^\n\\]*(?:\\[nr]|\s)+)*`
	return pattern{kind: kind, word: "-----BEGIN ", binary: true, expr: regexp.MustCompile(
		`^-----BEGIN ` + label + `-----` + gap + headers + `(?:([A-Za-z0-9+/]{24})|([A-Za-z0-9+/=]{3,})(?:\\[nr]|\s)+-----END)`)}
}

// token is a credential that is known by how it starts.
func token(kind, word, form string) pattern {
	return pattern{kind: kind, word: word, back: 2,
		expr: regexp.MustCompile(`^(?:|[\s\S]?[^0-9A-Za-z_/+-]|//)(` + form + `)(?:[^0-9A-Za-z_-]|$)`)}
}

// setting is a credential that is known by its name in a file of settings.
func setting(kind, word, form string) pattern {
	return pattern{kind: kind, word: word,
		expr: regexp.MustCompile(`^` + word + `["']?\s*[:=]\s*["']?` + form + `(?:[^0-9A-Za-z/+=]|$)`)}
}

// The patterns that count in binaries, in texts, and in files of settings, by
// their words' numbers.
var (
	binaryMatcher, binaryPatterns     = matchSecrets(func(p pattern) bool { return p.binary })
	textMatcher, textPatterns         = matchSecrets(func(p pattern) bool { return !p.settings })
	settingsMatcher, settingsPatterns = matchSecrets(func(pattern) bool { return true })
)

func matchSecrets(counts func(pattern) bool) (*match.Matcher, []*pattern) {
	var words []string
	var counted []*pattern
	for i := range patterns {
		if p := &patterns[i]; counts(*p) {
			words, counted = append(words, p.word), append(counted, p)
		}
	}
	return match.New(words), counted
}

// isEncryptedKey reports whether it is an EncryptedPrivateKeyInfo (RFC 5958), which starts with a
// sequence that names one of PKCS #5's or PKCS #12's ways to encrypt with a password.
func isEncryptedKey(body []byte) bool {
	const pkcs5, pkcs12 = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05", "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"
	return body[0] == 0x30 && (bytes.HasPrefix(body[2:], []byte(pkcs5)) || bytes.HasPrefix(body[2:], []byte(pkcs12)))
}

// keyFile recognises a private key in DER (RFC 5208, RFC 8017, RFC 5915), in PKCS #12 or
// in a Java keystore by the first bytes of a file; one of certificates alone is
// none.
func keyFile(p []byte) string {
	rest, ok := bytes.CutPrefix(p, []byte{0xfe, 0xed, 0xfe, 0xed})
	if !ok { // JCEKS
		rest, ok = bytes.CutPrefix(p, []byte{0xce, 0xce, 0xce, 0xce})
	}
	if ok && len(rest) > 12 && rest[11] == 1 { // the first entry's tag
		return "Java keystore with a private key"
	}
	if len(p) < 16 || p[0] != 0x30 {
		return ""
	}
	n, body := int(p[1]), p[2:]
	switch {
	case p[1] == 0x81:
		n, body = int(p[2]), p[3:]
	case p[1] == 0x82:
		n, body = int(p[2])<<8|int(p[3]), p[4:]
	case p[1] > 0x82:
		return ""
	}
	if n != len(body) {
		return ""
	}
	shroudedKey := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02}
	switch {
	case bytes.HasPrefix(body, []byte{2, 1, 3, 0x30}) && bytes.Contains(body, shroudedKey):
		return "PKCS #12 private key"
	case isEncryptedKey(body):
		return "encrypted DER private key"
	case (bytes.HasPrefix(body, []byte{2, 1, 0, 0x30}) || bytes.HasPrefix(body, []byte{2, 1, 1, 0x30})) && bytes.Contains(body[:min(len(body), 32)], []byte{0x06}),
		bytes.HasPrefix(body, []byte{2, 1, 0, 2, 0x82}), bytes.HasPrefix(body, []byte{2, 1, 0, 2, 0x81}),
		bytes.HasPrefix(body, []byte{2, 1, 1, 4}) && n < 256:
		return "DER private key"
	}
	return ""
}
