package verify

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// checkSecretConfig never prints a value.
func checkSecretConfig(im *image) []hit {
	var hits []hit
	add := func(field string, found ...string) {
		for _, f := range found {
			if f != "" {
				hits = append(hits, hit{path: "config:" + field, layer: -1, found: f})
			}
		}
	}
	c := im.config.Config
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		add("Env."+name, firstOf(secretValue(value), im.secretNamed(name, value)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		value := c.Labels[name]
		if found := firstOf(secretValue(value), im.secretText(value)); found != "" {
			add("Labels."+name, found)
		} else if last := lastWords(name); secretName(last) {
			add("Labels."+name, im.secretNamed(last, value))
		}
	}
	add("Entrypoint", im.secretArgs(c.Entrypoint))
	add("Cmd", im.secretArgs(c.Cmd))
	add("Shell", im.secretArgs(c.Shell))
	add("OnBuild", im.secretArgs(c.OnBuild))
	if c.Healthcheck != nil {
		add("Healthcheck", im.secretArgs(c.Healthcheck.Test))
	}
	add("Author", secretValue(im.config.Author))
	for i, h := range im.config.History {
		add(fmt.Sprintf("History.%d", i+1), firstOf(secretValue(h.CreatedBy), im.secretText(h.CreatedBy), secretValue(h.Comment), im.secretText(h.Comment), secretValue(h.Author)))
	}
	return hits
}

func firstOf(found ...string) string {
	for _, f := range found {
		if f != "" {
			return f
		}
	}
	return ""
}

// secretArgs looks at each argument, and at all together for "--token VALUE".
func (im *image) secretArgs(args []string) string {
	all := strings.Join(args, " ")
	return firstOf(secretValue(all), im.secretText(all))
}

// Assignments and options as they stand in commands. Groups: name, value.
var (
	assigned = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)=("[^"]*"|'[^']*'|[^\s"';&|]+)`)
	quoted   = regexp.MustCompile(`["']([A-Za-z_][A-Za-z0-9_.-]*)["']\s*:\s*["']([^"']+)["']`)
	option   = regexp.MustCompile(`--([A-Za-z][A-Za-z0-9-]*)\s+("[^"]*"|'[^']*'|[^\s"'-][^\s;&|]*)`)
	// spelled is what names neither: a header, curl's user, a password for chpasswd.
	spelled = regexp.MustCompile(`(?i)authorization:\s*(?:bearer|basic|token)\s+[^\s"'$]{8,}|\b(?:curl|wget)\b.*\s(?:-u|--user)[ =]["']?[^\s:"'$]+:[^\s"'$]+|\b(?:docker|podman|buildah|helm)\b[^;&|]*\blogin\b[^;&|]*\s-p[ =]?["']?[^\s"'$-][^\s"'$]*|\bsshpass\s+-p\s*["']?[^\s"'$]+|\btwine\b[^;&|]*\s-p\s*["']?[^\s"'$]+|` +
		`\bmachine\s+\S+\s+login\s+\S+\s+password\s+[^\s"'$]+|\baws_secret_access_key\s+[A-Za-z0-9/+]{40}|\becho\s+["']?\w+:[^\s"'|$]+["']?\s*\|\s*chpasswd`)
)

func (im *image) secretText(text string) string {
	if spelled.MatchString(text) {
		return "credentials in a command"
	}
	for _, pattern := range []*regexp.Regexp{assigned, quoted, option} {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			if found := im.secretNamed(strings.TrimLeft(m[1], "-"), strings.Trim(m[2], `"'`)); found != "" {
				return found + " (" + m[1] + ")"
			}
		}
	}
	return ""
}

// secretNamed judges a value by the name that it is given.
func (im *image) secretNamed(name, value string) string {
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if !secretName(name) || harmless.MatchString(value) || isPlaceholder(value) || im.isReference(value) {
		return ""
	}
	weak := !strongName.MatchString(strings.Join(words(name), " "))
	if weak && (len(value) < 8 || number.MatchString(value)) {
		return ""
	}
	return "a value for a name that says it is a secret"
}

// isReference tells what points to a secret: a path, an address, a name in a store.
func (im *image) isReference(value string) bool {
	return places.MatchString(value) || references.MatchString(value) || strings.HasPrefix(value, "/") && im.exists(value)
}

var (
	number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?[smhd]?$`)
	places = regexp.MustCompile(`^\.{0,2}/(run|etc|var|app|opt|home|root|usr|tmp|secrets?|vault|mnt|srv|data|config|certs?|proc|dev|kaniko|workspace)(/[\w.@+-]+)*/?$`)
	// references have an address and no password in it.
	references = regexp.MustCompile(`^(arn:|vault:|sm:|op:|secretref:|ref\+|projects/[^/]+/secrets/|file:|[a-z][a-z0-9+.-]*://[^@]*$)`)
)
