package cli

import (
	"encoding/json"
	"io"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// jsonReport is what --format json prints. Fields are added, never renamed.
type jsonReport struct {
	// Images has one entry a platform.
	Images []jsonImage `json:"images"`
	// Errors are the arguments that could not be read.
	Errors []jsonError `json:"errors"`
	// UnusedWaivers are those, as written, that waived nothing.
	UnusedWaivers []string `json:"unusedWaivers"`
}

type jsonImage struct {
	// Name is the argument, with the image's own name where there are several.
	Name string `json:"name"`
	// Platform is "linux/arm64"; empty where nothing says it.
	Platform string `json:"platform"`
	// Digest is the manifest's; empty where there is none.
	Digest string `json:"digest,omitempty"`
	Layers int    `json:"layers"`
	Files  int    `json:"files"`
	// Findings are in the order of the rules, then of paths.
	Findings []verify.Finding `json:"findings"`
	Waived   []jsonWaived     `json:"waived"`
}

type jsonWaived struct {
	verify.Finding
	Reason string `json:"reason"`
}

type jsonError struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

func writeJSON(w io.Writer, j judgement) error {
	report := jsonReport{Images: []jsonImage{}, Errors: []jsonError{}, UnusedWaivers: []string{}}
	for _, r := range j.results {
		image := jsonImage{
			Name: r.name, Platform: r.platform(), Layers: r.Layers, Files: r.Files,
			Findings: append([]verify.Finding{}, r.Findings...), Waived: []jsonWaived{},
		}
		if r.Digest.Hex != "" {
			image.Digest = r.Digest.String()
		}
		for _, f := range r.Waived {
			image.Waived = append(image.Waived, jsonWaived{f, j.reason(f)})
		}
		report.Images = append(report.Images, image)
	}
	for _, u := range j.unread {
		report.Errors = append(report.Errors, jsonError{u.name, oneLine(u.err).Error()})
	}
	for _, waiver := range j.unusedWaivers() {
		report.UnusedWaivers = append(report.UnusedWaivers, waiver.String())
	}
	return encode(w, report)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
