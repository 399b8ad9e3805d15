package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// writeTable writes what was found, for people: a line a finding, below those of a rule
// with one remedy why it matters and what to do, and a line a platform at the end.
func writeTable(w io.Writer, j judgement) error {
	b := bufio.NewWriter(w)
	for _, rule := range j.rules {
		var lines []string
		var findings []verify.Finding
		for _, r := range j.results {
			for _, f := range r.Findings {
				if f.Rule == rule.Name {
					findings, lines = append(findings, f), append(lines, j.prefix(r)+f.String())
				}
			}
		}
		fmt.Fprint(b, explained(findings, lines, "    "))
	}
	for _, r := range j.results {
		for _, f := range r.Waived {
			fmt.Fprintf(b, "%swaived: %s (%s)\n", j.prefix(r), f, verify.Printable(j.reason(f)))
		}
	}
	for _, r := range j.results {
		fmt.Fprintf(b, "%s: %s", r.title(), count(len(r.Findings), "finding"))
		if len(r.Waived) > 0 {
			fmt.Fprintf(b, ", %d waived", len(r.Waived))
		}
		fmt.Fprintf(b, ", %s in %s\n", count(r.Files, "file"), count(r.Layers, "layer"))
	}
	return b.Flush()
}

// explained are the lines of one rule's findings, and below those with one remedy why
// they matter and what to do.
func explained(findings []verify.Finding, lines []string, indent string) string {
	var fixes []string
	byFix := map[string]string{}
	for i, f := range findings {
		if byFix[f.Fix] == "" {
			fixes = append(fixes, f.Fix)
		}
		byFix[f.Fix] += lines[i] + "\n"
	}
	var b strings.Builder
	for _, fix := range fixes {
		fmt.Fprintf(&b, "%s%swhy: %s\n%sfix: %s\n", byFix[fix], indent, findings[0].Why, indent, fix)
	}
	return b.String()
}

// prefix names the image and the platform where there are several.
func (j judgement) prefix(r judged) string {
	names, platforms := map[string]bool{}, map[string]bool{}
	for _, other := range j.results {
		names[other.name] = true
		platforms[other.platform()] = true
	}
	var parts []string
	if len(names) > 1 {
		parts = append(parts, r.name)
	}
	if len(platforms) > 1 {
		parts = append(parts, r.platform())
	}
	if len(parts) == 0 {
		return ""
	}
	return verify.Printable(strings.Join(parts, " ")) + ": "
}

// title is the image and its platform.
func (r judged) title() string {
	return verify.Printable(strings.TrimSpace(r.name + " " + r.platform()))
}

// platform is empty where nothing says which one it is.
func (r judged) platform() string {
	if r.Platform.OS == "" && r.Platform.Architecture == "" {
		return ""
	}
	return r.Platform.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeRules prints the table of the rules in Markdown, so that it can be put into
// a page as it is.
func writeRules(w io.Writer) error {
	b := bufio.NewWriter(w)
	var group verify.Group
	for _, r := range verify.Rules() {
		if r.Group != group {
			if group != "" {
				fmt.Fprintln(b)
			}
			group = r.Group
			fmt.Fprintf(b, "## %s\n\n| rule | what must hold | why | fix |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.Name, cell(r.Summary), cell(r.Why), cell(r.Fix))
	}
	return b.Flush()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
