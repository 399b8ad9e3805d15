package secrets

import (
	"regexp"
	"strings"
)

// Words of a value that says what it is. One of those that say so outright may stand
// with a few others; those of a stage or a test count only among words that are
// known: a password can have any of them too.
var (
	outright = wordSet("dummy placeholder example examples sample insecure unsafe fake mock mocked bogus invalid unused irrelevant unimportant " +
		"notimportant notasecret notsecret notsecure notreal notused notneeded throwaway whatever nothing foobar redacted masked todo tbd fixme " +
		"changeme changeit changethis replaceme replacethis setme fillme buildonly buildtime testonly donotuse dontuse nosecret")
	staged = wordSet("test tests tester testing dev devel development demo local localhost ci foo bar baz qux temp tmp temporary fixture unittest pytest collectstatic")
	filler = wordSet("secret secrets key keys token tokens password passwd pass pwd passphrase credential credentials api jwt value string text app application django flask fastapi session cookie " +
		"the a an my our your this that it is be was some any just only no not for and or in of on to at by with use used using build builds building built image docker container compose stage step phase " +
		"time run runs running env environment user username db database postgres postgresql mysql redis auth access private public client id super very really please here static so never real project site web server service")
)

// phrases are outright in two or more words.
var phrases = regexp.MustCompile(`\b(not|never|no) (a |an |the |so |very |really |actually |any )*(secret|secure|real|important|used|needed|sensitive|valid|private|for prod\w*|production)\b|` +
	`\b(only|just) (for|used|during|needed)\b|\bfor (the |a )?(build\w*|tests?|testing|ci|dev\w*|local\w*|docs|demo|collectstatic|static|migrations?)\b|\b(build|compile|test|dev|ci) (time|only|stage|phase|step)\b|` +
	`\b(change|replace|override|set|fill) (me|it|this|in|at|before|by|with|via)\b|\bdo( not|nt|n t) (use|care)\b|\bdoes( not|nt|n t) matter\b|\b(will|must|should|to) be (set|replaced|changed|overridden|overwritten|provided|injected)\b`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

const (
	maxPlaceholder = 120 // bytes
	maxStrangers   = 2   // words that are in none of the lists
)

// IsPlaceholder reports whether a value says of itself that it is no secret:
// "dummy-for-build", "notimportant". A random part makes it a secret whatever stands
// before it, as in "django-insecure-4k@...".
func IsPlaceholder(value string) bool {
	if len(value) > maxPlaceholder {
		return false
	}
	said, stage, strangers := false, false, 0
	var text []string
	for _, token := range Words(strings.ReplaceAll(value, "'", "")) {
		letters := strings.TrimRight(token, "0123456789")
		if len(token)-len(letters) > 4 {
			return false
		}
		parts := segments(letters)
		if parts == nil && letters != "" {
			if strangers++; strangers > maxStrangers || !isWord(letters) {
				return false
			}
			parts = []string{letters}
		}
		for _, w := range parts {
			said = said || outright[w]
			stage = stage || staged[w]
		}
		text = append(text, parts...)
	}
	if said || phrases.MatchString(strings.Join(text, " ")) {
		return true
	}
	return stage && strangers == 0 && !strings.ContainsAny(value, "!@#$%^&*+=?~")
}

// segments splits letters without spaces into words of the lists; nil when that
// cannot be.
func segments(letters string) []string {
	best := make([][]string, len(letters)+1)
	best[0] = []string{}
	for end := 1; end <= len(letters); end++ {
		for start := max(0, end-14); start < end; start++ { // the longest first
			w := letters[start:end]
			if best[start] != nil && (outright[w] || staged[w] || filler[w]) && (best[end] == nil || len(best[start])+1 < len(best[end])) {
				best[end] = append(best[start][:len(best[start]):len(best[start])], w)
			}
		}
	}
	return best[len(letters)]
}

var consonants = regexp.MustCompile(`[^aeiouy]{5}`)

// isWord reports whether letters can be said, unlike random ones.
func isWord(s string) bool {
	return len(s) >= 2 && len(s) <= 12 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == "" && strings.ContainsAny(s, "aeiouy") && !consonants.MatchString(s)
}
