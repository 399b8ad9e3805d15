package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/secrets"
)

var secretConfigRule = Rule{
	Name:    "secret-config",
	Summary: "no credentials in the environment, labels, command or history",
	Why:     "everybody who can pull the image can read its config",
	Fix:     "revoke it, use a build secret where the build needs it, and set it when the container runs",
	Check:   checkSecretConfig,
}

// checkSecretConfig never prints a value.
func checkSecretConfig(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	add := func(field string, found ...string) {
		for _, f := range found {
			if f != "" {
				hits = append(hits, overlay.Hit{Path: "config:" + field, Layer: -1, Found: f})
			}
		}
	}
	c := im.Config.Config
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		add("Env."+name, firstOf(secrets.Value(value), secretNamed(im, name, value)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		value := c.Labels[name]
		if found := firstOf(secrets.Value(value), secretText(im, value)); found != "" {
			add("Labels."+name, found)
		} else if last := secrets.LastWords(name); secrets.IsName(last) {
			add("Labels."+name, secretNamed(im, last, value))
		}
	}
	add("Entrypoint", secretArgs(im, c.Entrypoint))
	add("Cmd", secretArgs(im, c.Cmd))
	add("Shell", secretArgs(im, c.Shell))
	add("OnBuild", secretArgs(im, c.OnBuild))
	if c.Healthcheck != nil {
		add("Healthcheck", secretArgs(im, c.Healthcheck.Test))
	}
	add("Author", secrets.Value(im.Config.Author))
	for i, h := range im.Config.History {
		add(fmt.Sprintf("History.%d", i+1), firstOf(secrets.Value(h.CreatedBy), secretText(im, h.CreatedBy), secrets.Value(h.Comment), secretText(im, h.Comment), secrets.Value(h.Author)))
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
func secretArgs(im *overlay.Image, args []string) string {
	all := strings.Join(args, " ")
	return firstOf(secrets.Value(all), secretText(im, all))
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

func secretText(im *overlay.Image, text string) string {
	if spelled.MatchString(text) {
		return "credentials in a command"
	}
	for _, pattern := range []*regexp.Regexp{assigned, quoted, option} {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			if found := secretNamed(im, strings.TrimLeft(m[1], "-"), strings.Trim(m[2], `"'`)); found != "" {
				return found + " (" + m[1] + ")"
			}
		}
	}
	return ""
}

// secretNamed judges a value by the name that it is given.
func secretNamed(im *overlay.Image, name, value string) string {
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if !secrets.IsName(name) || secrets.Harmless.MatchString(value) || secrets.IsPlaceholder(value) || isReference(im, value) {
		return ""
	}
	weak := !secrets.StrongName.MatchString(strings.Join(secrets.Words(name), " "))
	if weak && (len(value) < 8 || number.MatchString(value)) {
		return ""
	}
	return "a value for a name that says it is a secret"
}

// isReference reports whether a value points to a secret: a path, an address, a name in
// a store.
func isReference(im *overlay.Image, value string) bool {
	return places.MatchString(value) || references.MatchString(value) || strings.HasPrefix(value, "/") && im.Exists(value)
}

var (
	number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?[smhd]?$`)
	places = regexp.MustCompile(`^\.{0,2}/(run|etc|var|app|opt|home|root|usr|tmp|secrets?|vault|mnt|srv|data|config|certs?|proc|dev|kaniko|workspace)(/[\w.@+-]+)*/?$`)
	// references have an address and no password in it.
	references = regexp.MustCompile(`^(arn:|vault:|sm:|op:|secretref:|ref\+|projects/[^/]+/secrets/|file:|[a-z][a-z0-9+.-]*://[^@]*$)`)
)
