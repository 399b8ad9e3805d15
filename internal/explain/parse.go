package explain

import (
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

var comment = regexp.MustCompile(`(^|\s+)#.*$`)

// ParseLines reads the lines of a requirements file, without blank ones and
// comments. It knows pip's format: what it cannot read is a Broken line, never
// an error. name is what errors call the file; getenv returns the values of
// variables, as os.Getenv does, and may be nil.
func ParseLines(name string, data []byte, getenv func(string) string) []Line {
	text, _ := decode(data)
	return parseLines(name, lineEnds.Replace(text), getenv)
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func parseLines(name, text string, getenv func(string) string) []Line {
	var lines []Line
	var joined strings.Builder
	physical := strings.Split(text, "\n")
	first := 1
	for i, text := range physical {
		// A comment does not go on, even if it ends with a backslash.
		begun, continued := strings.CutSuffix(text, `\`)
		if continued && !strings.HasPrefix(strings.TrimSpace(text), "#") {
			text = begun
			if i+1 < len(physical) {
				joined.WriteString(text)
				continue
			}
		}
		joined.WriteString(text)
		if l := parseLine(joined.String(), getenv); l.Text != "" {
			l.File, l.First, l.Last = name, first, i+1
			lines = append(lines, l)
		}
		joined.Reset()
		first = i + 2
	}
	return lines
}

// lineOption is where the options of a requirement begin.
var lineOption = regexp.MustCompile(`\s--?[A-Za-z]`)

func parseLine(written string, getenv func(string) string) Line {
	l := Line{}
	at := comment.FindStringIndex(written)
	if at != nil {
		l.Comment = strings.TrimSpace(written[at[0]:])
		written = written[:at[0]]
	}
	l.Text = strings.TrimSpace(written)
	text, broken := strings.CutSuffix(expand(l.Text, getenv), `\`)
	requirement, options := text, ""
	if at := lineOption.FindStringIndex(text); at != nil {
		requirement, options = text[:at[0]], text[at[0]:]
	}
	requirement = strings.TrimSpace(requirement)
	switch {
	case requirement == "" && options == "":
		l.Problem = "a backslash alone"
	case text[0] == '-':
		l.option(text)
	case isLocal(requirement):
		l.Kind = Local
	case isAddress(requirement):
		l.Kind = Direct
		if egg := eggName.FindStringSubmatch(text); egg != nil {
			l.Written, l.Name = egg[1], names.Normalize(egg[1])
		}
	default:
		l.project(requirement)
		if l.requirementOptions(options); broken {
			l.OptionProblem = "nothing may follow the backslash"
		}
		if said := unset(requirement); said != "" && l.Kind != Direct {
			l.Kind, l.Problem = Broken, said
		}
	}
	if l.Kind == Broken {
		l.Options, l.OptionProblem, l.Hashes = nil, "", nil
	}
	l.Problem, l.OptionProblem = conceal(l.Problem, l.Text, getenv), conceal(l.OptionProblem, l.Text, getenv)
	return l
}

var (
	eggName = regexp.MustCompile(`[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)`)
	address = regexp.MustCompile(`^(?:(?:git|hg|svn|bzr)\+)?[a-z][a-z+]*://|^git\+`)
	archive = regexp.MustCompile(`(?i)\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)$`)
	drive   = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

func isAddress(text string) bool {
	return address.MatchString(text) && !strings.HasPrefix(text, "file:")
}

func isLocal(text string) bool {
	if strings.HasPrefix(text, "file:") || strings.HasPrefix(text, ".") || drive.MatchString(text) || strings.IndexAny(text, `/\~`) == 0 {
		return true
	}
	word := strings.Fields(text)[0]
	return !address.MatchString(text) && !strings.Contains(text, "@") &&
		(archive.MatchString(word) || strings.ContainsAny(word, `/\`) && !strings.ContainsAny(word, "<>=!;["))
}

var (
	projectName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`)
	extrasPart  = regexp.MustCompile(`^\[\s*((?:[A-Za-z0-9._-]+\s*,\s*)*(?:[A-Za-z0-9._-]+)?)\s*\]`)
)

// project reads a line that begins with a project's name (PEP 508).
func (l *Line) project(text string) {
	l.Written = projectName.FindString(text)
	if l.Written == "" {
		l.Problem = "not a project's name"
		return
	}
	l.Name = names.Normalize(l.Written)
	rest := strings.TrimSpace(text[len(l.Written):])
	if m := extrasPart.FindStringSubmatch(rest); m != nil {
		l.Extras = strings.Join(strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }), ",")
		rest = strings.TrimSpace(rest[len(m[0]):])
	} else if strings.HasPrefix(rest, "[") {
		l.Problem = "its extras are not [NAME,NAME]"
		return
	}
	if url, ok := strings.CutPrefix(rest, "@"); ok {
		l.Kind = Direct
		if strings.HasPrefix(strings.TrimSpace(url), "file:") {
			l.Kind = Local
		}
		return
	}
	spec, marker, marked := strings.Cut(rest, ";")
	l.Marker = strings.TrimSpace(marker)
	if marked && l.Marker == "" {
		l.Problem, l.Remedy = "nothing after the semicolon", l.Written+strings.TrimSpace(spec)
		return
	}
	l.versions(strings.TrimSpace(spec))
}
