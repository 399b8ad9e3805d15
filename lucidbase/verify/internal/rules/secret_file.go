package rules

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var secretFileRule = Rule{
	Name:    "secret-file",
	Summary: "no private key and no credentials in a file, but what a distribution publishes: listed in its RECORD with a true hash, and locked or, where no lock is given, installed from an index",
	Why:     "everybody who can pull the image can read it, in every layer",
	Fix:     "revoke it, build the image without it, and mount it when the container runs",
	Check:   checkSecretFile,
}

// credentialFiles match, by what they are, the places where programs keep
// credentials. Files that hold some only now and then (.npmrc, .docker/config.json,
// .kube/config, *.pem) are judged by their content alone.
var credentialFiles = []struct {
	what string
	at   *regexp.Regexp
	// data says that the name is also that of test data which distributions publish.
	data bool
}{
	{"passwords of network clients", regexp.MustCompile(`/[._]netrc$`), false},
	{"credentials of a package index", regexp.MustCompile(`/\.pypirc$|/\.gem/credentials$|/\.cargo/credentials(\.toml)?$`), false},
	{"an environment file with settings of one deployment", regexp.MustCompile(`/\.env(rc)?(\.[^/]+)?$|/secrets?\.env$|/\.secrets?(\.(env|json|ya?ml|toml))?$`), false},
	{"credentials of git", regexp.MustCompile(`/\.git-credentials$|/\.config/git/credentials$|/\.config/gh/hosts\.yml$`), false},
	{"a file of an SSH user", regexp.MustCompile(`/\.ssh/`), false},
	{"an SSH private key by its name", regexp.MustCompile(`/id_(rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$`), false},
	{"an SSH host key by its name", regexp.MustCompile(`/ssh_host_[a-z0-9]+_key$`), false},
	{"credentials of a cloud", regexp.MustCompile(`/\.aws/credentials$|/\.aws/(sso|cli)/cache/|/\.azure/((accessTokens|service_principal_entries)\.json|msal_token_cache\.[a-z]+)$|/gcloud/(credentials\.db|access_tokens\.db|application_default_credentials\.json|legacy_credentials/)|/\.s3cfg$|/\.boto$|/\.oci/[^/]+\.pem$`), false},
	{"credentials of a registry", regexp.MustCompile(`/\.dockercfg$|/containers/auth\.json$`), false},
	{"credentials of a database", regexp.MustCompile(`/\.pgpass$|/\.my\.cnf$|/\.mylogin\.cnf$`), false},
	{"credentials of Terraform Cloud", regexp.MustCompile(`/credentials\.tfrc\.json$`), false},
	{"keys of Kerberos", regexp.MustCompile(`/[^/]+\.keytab$`), false},
	{"a token of Vault", regexp.MustCompile(`/\.vault-token$`), false},
	{"the state of Terraform, which holds its secrets", regexp.MustCompile(`/[^/]+\.tfstate(\.backup)?$`), false},
	{"private keys of GnuPG", regexp.MustCompile(`/\.gnupg/(private-keys-v1\.d/|secring\.gpg$)|/private-keys-v1\.d/[^/]+\.key$`), false},
	{"a secret that a runtime mounts", regexp.MustCompile(`^(/var)?/run/secrets/`), false},
	{"a key store", regexp.MustCompile(`(?i)/[^/]+\.(p12|pfx|jks|keystore|kdbx|ppk)$`), true},
	{"passwords of a web server", regexp.MustCompile(`/\.htpasswd$`), true},
}

// credentialParts are texts of which a path has one if a pattern matches it: most
// paths have none.
var credentialParts = []string{
	"/.", "/_netrc", "secret", "/id_", "/ssh_host_", "gcloud/", "/auth.json", ".tfstate", ".tfrc.json", ".keytab", "private-keys", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk",
}

// credentialExceptions are names that the patterns match and that hold no secret:
// templates, public halves, the certificates that a Java program trusts.
var credentialExceptions = regexp.MustCompile(`(?i)\.env(rc)?[._-]?.*[._-](example|sample|template|tmpl|tpl|dist|defaults?|schema|d\.ts|md|ts|js|py)$|\.pub$|(cacerts|trust-?store)[^/]*$`)

func checkSecretFile(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	published := &published{im: im}
	repositories := overlay.NewGroups()
	for _, e := range im.Entries {
		if e.Kind != scan.Regular && e.Kind != scan.Hardlink || e.Content().Size == 0 {
			continue
		}
		if i := strings.Index(e.At, "/.git/"); i >= 0 && !published.all(e) {
			repositories.Add(e, e.At[:i])
			continue
		}
		named, data := credentialName(e.At)
		if named != "" && !published.all(e) && !published.fromIndex(e) && (!data || !published.data(e)) {
			hits = append(hits, e.Hit(named))
		}
		if secrets := e.Content().Secrets; len(secrets) > 0 && !published.all(e) && !published.data(e) {
			for _, s := range secrets {
				hits = append(hits, e.Hit(fmt.Sprintf("%s at line %d", s.Kind, s.Line)))
			}
		}
		hits = append(hits, passwordHashes(e)...)
	}
	return append(hits, overlay.WithFix(repositories.Hits(func(g *overlay.Group) string {
		return fmt.Sprintf("git's history of a project: files %d", len(g.Entries))
	}), "put .git into .dockerignore, or copy the files that run by name; revoke what was ever committed")...)
}

// CredentialName says what a file keeps by its absolute path, "" for no credentials.
func CredentialName(at string) string {
	what, _ := credentialName(at)
	return what
}

func credentialName(at string) (what string, data bool) {
	if !hasAny(strings.ToLower(at), credentialParts) || credentialExceptions.MatchString(at) {
		return "", false
	}
	for _, c := range credentialFiles {
		if c.at.MatchString(at) {
			return c.what, c.data
		}
	}
	return "", false
}

// passwordHashes reads what /etc/passwd has in its second field since passwords
// moved to /etc/shadow: "x", "*", "!" or nothing.
func passwordHashes(e *overlay.Entry) []overlay.Hit {
	if e.At != "/etc/passwd" {
		return nil
	}
	var hits []overlay.Hit
	line := 0
	for l := range strings.Lines(e.Content().Text) {
		line++
		if f := strings.Split(l, ":"); len(f) >= 7 && len(f[1]) >= 13 && !strings.ContainsAny(f[1][:1], "*!") {
			hits = append(hits, e.Hit(fmt.Sprintf("the hash of a password at line %d", line)))
		}
	}
	return hits
}

// published are the files that distributions publish: those of a RECORD with a
// true hash whose own METADATA has one too. A RECORD is no signature: it proves
// that a file was not changed after it was installed, and a lock that the
// distribution was to be installed; neither proves who wrote the RECORD. So with a
// lock only what is locked counts. Without one an installer's word is taken that a
// distribution came from an index, for files beside it: one's own, of a directory or
// an address, has a direct_url.json (PEP 610).
type published struct {
	im *overlay.Image
	// by is the distribution by place and content; nil until it is asked for.
	by map[string]*publisher
}

// publisher is a distribution with a RECORD.
type publisher struct {
	*python.Distribution
	// site is the directory that it is installed in; direct says that it does not come
	// from an index.
	site   string
	direct bool
}

func (p *published) readAll() {
	p.by = map[string]*publisher{}
	for _, e := range p.im.Entries {
		if len(e.Content().Record) > 0 && strings.HasSuffix(path.Dir(e.At), ".dist-info") {
			p.read(e)
		}
	}
}

func (p *published) read(record *overlay.Entry) {
	info := path.Dir(record.At)
	root := path.Dir(info)
	metadata := p.im.Stat(path.Join(info, "METADATA"))
	if metadata == nil || metadata.Content().Distribution == nil {
		return
	}
	d := &publisher{metadata.Content().Distribution, root, p.im.Exists(path.Join(info, "direct_url.json"))}
	files, genuine := map[string]bool{}, false
	for _, r := range record.Content().Record {
		sum, ok := strings.CutPrefix(r.Hash, "sha256=")
		if !ok || sum == "" {
			continue
		}
		at := r.Path
		if !path.IsAbs(at) {
			at = path.Join(root, at)
		}
		files[at+"\x00"+sum] = true
		genuine = genuine || at == metadata.At && sum == metadata.Content().SHA256
	}
	if !genuine {
		return
	}
	for f := range files {
		p.by[f] = d
	}
}

// of returns the distribution that publishes a file with this content.
func (p *published) of(e *overlay.Entry) *publisher {
	if p.by == nil {
		p.readAll()
	}
	return p.by[e.At+"\x00"+e.Content().SHA256]
}

// all reports whether a file is no secret whatever it is: a locked distribution's.
func (p *published) all(e *overlay.Entry) bool {
	d := p.of(e)
	if d == nil {
		d = p.ofSource(e)
	}
	if d == nil {
		return false
	}
	version, locked := p.im.Want.Distributions[names.Normalize(d.Name)]
	return locked && version == d.Version
}

// fromIndex reports, without a lock to ask, whether a distribution of an index publishes
// a file.
func (p *published) fromIndex(e *overlay.Entry) bool {
	d := p.of(e)
	return p.im.Want.Distributions == nil && d != nil && !d.direct && strings.HasPrefix(e.At, d.site+"/")
}

// data reports, without a lock to ask, whether a file is a test key or the like: source files, and what
// is in a directory of tests. Nothing of an unlocked distribution is, once there is
// a lock.
func (p *published) data(e *overlay.Entry) bool {
	if p.im.Want.Distributions != nil {
		return false
	}
	if p.ofSource(e) != nil || p.fromIndex(e) {
		return true
	}
	return p.of(e) != nil && (path.Ext(e.At) == ".py" || overlay.TestDir.MatchString(e.At))
}

// ofSource returns the distribution that publishes the source of bytecode which was
// made from it.
func (p *published) ofSource(e *overlay.Entry) *publisher {
	b := e.Content().Bytecode
	if b == nil || overlay.SourceOf(e.At) == "" {
		return nil
	}
	s := p.im.Stat(overlay.SourceOf(e.At))
	if s == nil {
		return nil
	}
	c := s.Content()
	if b.Hash != "" && b.Hash != c.SourceHash || b.Hash == "" && (b.MTime != c.ModTime || b.Size != c.Size) {
		return nil
	}
	return p.of(s)
}
