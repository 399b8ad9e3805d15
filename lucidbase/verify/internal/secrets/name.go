package secrets

import (
	"regexp"
	"strings"
)

var (
	wordBreak = regexp.MustCompile(`[^A-Za-z0-9]+`)
	camel     = regexp.MustCompile(`([a-z0-9])([A-Z])`)

	// StrongName are words behind which any value is one; secretWords those that
	// name one at all.
	StrongName  = regexp.MustCompile(`(password|passwd|passphrase|sshpass)|\b(pass|pwd|pw)$|\bsecret( key)?$`)
	secretWords = regexp.MustCompile(`password|passwd|passphrase|sshpass|^bearer$|\brediscli auth$|\w*secret|apikey|\b(pass|pwd|passcode|credentials?|authtoken|pat|dsn|jwt)\b|token\b|` +
		`\b(api|private|access|secret|encryption|signing|master|deploy|account|storage|client|shared|ssh|service|app|auth|licen[cs]e|session|hmac|aes|cookie|fernet) key\b|\bkey base\b|\bconnection string\b|\b(basic|npm|docker|registry) auth\b|^auth$|\bauthorization$`)
	// publicWords end names that are about a secret and do not hold it.
	publicWords = regexp.MustCompile(`\b(public|tokeni[sz]ers?|fingerprint|oldpwd)\b|\b(file|filename|path|dir|directory|url|uri|endpoint|host|port|name|names|type|types|hasher|hashers|` +
		`algorithm|alg|length|len|ttl|expiry|expires|expire|expiration|in|timeout|enabled|disabled|required|policy|header|headers|prefix|suffix|provider|backend|class|store|mount|version|min|max|count|limit|limits|` +
		`rotation|days|seconds|minutes|hours|audience|issuer|field|format|scheme|method|methods|mode|module|size|lifetime|age|location|stdin|env|var|scan|scanning|scanner|scanned|manager|arn|ref|label|title|description|validators?|` +
		`bytes|budget|usage|rate|cost|window|sha256|md5|digest|checksum|command|cmd|helper|service|server|group|namespace|region|strategy|refresh|reset|rules|regex|pattern)$|^pwd$|^(no|skip|use|has|is|allow|require|enable|disable|max|min|num) `)
	secretID = regexp.MustCompile(`\bid$`)
)

// Words are a name's in lower case: DB_PASSWORD, db.password and dbPassword are
// "db", "password".
func Words(name string) []string {
	name = camel.ReplaceAllString(name, "$1 $2")
	return strings.Fields(strings.ToLower(wordBreak.ReplaceAllString(name, " ")))
}

// IsName reports whether a name says that its value is a secret.
func IsName(name string) bool {
	w := strings.Join(Words(name), " ")
	if !secretWords.MatchString(w) || publicWords.MatchString(w) {
		return false
	}
	return !secretID.MatchString(w) || strings.HasSuffix(w, "secret id")
}

// LastWords are the last two words of a label's name: those before say whose it is.
func LastWords(name string) string {
	w := Words(name)
	return strings.Join(w[max(0, len(w)-2):], "_")
}

// jwt is a signed token (RFC 7519): header, claims, signature.
var jwt = regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}`)

// userinfo is an address with a password; its group is the password.
var userinfo = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'?#]*:([^\s/@"']+)@`)

// Harmless are values that say that there is none, switches, and placeholders.
var Harmless = regexp.MustCompile(`(?i)^(|true|false|yes|no|on|off|none|null|nil|0|1|unset|disabled?|enabled?|optional|required|auto|default|env|file|stdin|-|\*+|x{3,}|\.{3,}|todo|dummy|placeholder|redacted|masked|hidden|change[-_ ]?(me|it|this)|replace[-_ ]?me|fill[-_ ]?me.*|your[-_ ].*|<.*>|\[.*\]|\{\{.*\}\}|%.*%|@.*@|\$\w+|.*\$\{[A-Za-z_].*|.*\$(?-i:[A-Z_]{2,}).*|.*\$\(.*|` + "`.*`" + `)$`)

// Value says what a text holds by what it looks like.
func Value(text string) string {
	if jwt.MatchString(text) {
		return "an access token"
	}
	if s := secretsIn(text); len(s) > 0 {
		return s[0].Kind
	}
	for _, m := range userinfo.FindAllStringSubmatch(text, -1) {
		if !Harmless.MatchString(m[1]) && !IsPlaceholder(m[1]) {
			return "an address with a password"
		}
	}
	return ""
}

// secretsIn is what Scan finds in a file with this text.
func secretsIn(text string) []Secret {
	s := NewFinder("", []byte(text))
	s.Add([]byte(text))
	return s.Found()
}
