package verify

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

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

func checkSecretFile(im *image) []hit {
	var hits []hit
	published := &published{im: im}
	repositories := newGroups()
	for _, e := range im.entries {
		if e.Kind != Regular && e.Kind != Hardlink || e.content().Size == 0 {
			continue
		}
		if i := strings.Index(e.at, "/.git/"); i >= 0 && !published.all(e) {
			repositories.add(e, e.at[:i])
			continue
		}
		named, data := credentialName(e.at)
		if named != "" && !published.all(e) && !published.fromIndex(e) && (!data || !published.data(e)) {
			hits = append(hits, e.hit(named))
		}
		if secrets := e.content().Secrets; len(secrets) > 0 && !published.all(e) && !published.data(e) {
			for _, s := range secrets {
				hits = append(hits, e.hit(fmt.Sprintf("%s at line %d", s.Kind, s.Line)))
			}
		}
		hits = append(hits, passwordHashes(e)...)
	}
	return append(hits, withFix(repositories.hits(func(g *group) string {
		return fmt.Sprintf("git's history of a project: files %d", len(g.entries))
	}), "put .git into .dockerignore, or copy the files that run by name; revoke what was ever committed")...)
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
func passwordHashes(e *entry) []hit {
	if e.at != "/etc/passwd" {
		return nil
	}
	var hits []hit
	line := 0
	for l := range strings.Lines(e.content().Text) {
		line++
		if f := strings.Split(l, ":"); len(f) >= 7 && len(f[1]) >= 13 && !strings.ContainsAny(f[1][:1], "*!") {
			hits = append(hits, e.hit(fmt.Sprintf("the hash of a password at line %d", line)))
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
	im *image
	// by is the distribution by place and content; nil until it is asked for.
	by map[string]*publisher
}

// publisher is a distribution with a RECORD.
type publisher struct {
	*Distribution
	// site is the directory that it is installed in; direct says that it does not come
	// from an index.
	site   string
	direct bool
}

func (p *published) readAll() {
	p.by = map[string]*publisher{}
	for _, e := range p.im.entries {
		if len(e.content().Record) > 0 && strings.HasSuffix(path.Dir(e.at), ".dist-info") {
			p.read(e)
		}
	}
}

func (p *published) read(record *entry) {
	info := path.Dir(record.at)
	root := path.Dir(info)
	metadata := p.im.stat(path.Join(info, "METADATA"))
	if metadata == nil || metadata.content().Distribution == nil {
		return
	}
	d := &publisher{metadata.content().Distribution, root, p.im.exists(path.Join(info, "direct_url.json"))}
	files, genuine := map[string]bool{}, false
	for _, r := range record.content().Record {
		sum, ok := strings.CutPrefix(r.Hash, "sha256=")
		if !ok || sum == "" {
			continue
		}
		at := r.Path
		if !path.IsAbs(at) {
			at = path.Join(root, at)
		}
		files[at+"\x00"+sum] = true
		genuine = genuine || at == metadata.at && sum == metadata.content().SHA256
	}
	if !genuine {
		return
	}
	for f := range files {
		p.by[f] = d
	}
}

// of gives the distribution that publishes a file with this content.
func (p *published) of(e *entry) *publisher {
	if p.by == nil {
		p.readAll()
	}
	return p.by[e.at+"\x00"+e.content().SHA256]
}

// all tells files that are no secret whatever they are: a locked distribution's.
func (p *published) all(e *entry) bool {
	d := p.of(e)
	if d == nil {
		d = p.ofSource(e)
	}
	if d == nil {
		return false
	}
	version, locked := p.im.want.Distributions[python.Name(d.Name)]
	return locked && version == d.Version
}

// fromIndex tells, without a lock to ask, what a distribution of an index publishes.
func (p *published) fromIndex(e *entry) bool {
	d := p.of(e)
	return p.im.want.Distributions == nil && d != nil && !d.direct && strings.HasPrefix(e.at, d.site+"/")
}

// data tells test keys and the like without a lock to ask: source files, and what
// is in a directory of tests. Nothing of an unlocked distribution is, once there is
// a lock.
func (p *published) data(e *entry) bool {
	if p.im.want.Distributions != nil {
		return false
	}
	if p.ofSource(e) != nil || p.fromIndex(e) {
		return true
	}
	return p.of(e) != nil && (path.Ext(e.at) == ".py" || testDir.MatchString(e.at))
}

// testDir is in the paths of tests and of their data.
var testDir = regexp.MustCompile(`/(tests?|testing|test_[^/]*|examples?|testdata|fixtures)/`)

// ofSource gives the distribution that publishes the source of bytecode which was
// made from it.
func (p *published) ofSource(e *entry) *publisher {
	b := e.content().Bytecode
	if b == nil || source(e.at) == "" {
		return nil
	}
	s := p.im.stat(source(e.at))
	if s == nil {
		return nil
	}
	c := s.content()
	if b.Hash != "" && b.Hash != c.SourceHash || b.Hash == "" && (b.MTime != c.ModTime || b.Size != c.Size) {
		return nil
	}
	return p.of(s)
}
