package verify

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/rules"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

// DevLabel names the label that a twin for build stages and debugging has, with the value
// "true": see Contract.Dev.
const DevLabel = rules.DevLabel

// SecretFile says what secret a file holds by its absolute path or its content, of which
// the beginning will do: "an SSH private key by its name". It returns "" for none.
func SecretFile(path string, content []byte) string {
	if what := rules.CredentialName(path); what != "" {
		return what
	}
	f := secrets.NewFinder(path, content)
	f.Add(content)
	if found := f.Found(); len(found) > 0 {
		return found[0].Kind
	}
	return ""
}

// SecretName reports whether a variable's name says that its value is a secret:
// DB_PASSWORD, but not DB_PASSWORD_FILE.
func SecretName(name string) bool { return secrets.IsName(name) }

// SecretValue says what secret a text holds by what it looks like, such as an address with
// a password; "" for none.
func SecretValue(text string) string { return secrets.Value(text) }

// ShellName reports whether a program, by its path or name, is called like a shell.
func ShellName(program string) bool { return overlay.IsShellName(program) }
