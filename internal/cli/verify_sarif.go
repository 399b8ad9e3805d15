package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The parts of SARIF 2.1.0 that code scanners read.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             sarifText `json:"help"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

func writeSARIF(w io.Writer, j judgement) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "lucidbase verify", Rules: []sarifRule{}}
	index := map[string]int{}
	for i, r := range j.rules {
		index[r.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			r.Name, sarifText{r.Summary}, sarifText{r.Summary + ". Otherwise: " + r.Why + "."}, sarifText{r.Fix},
		})
	}
	for _, r := range j.results {
		for _, f := range r.Findings {
			result := sarifOf(r, f, index)
			if f.Fix != j.rules[index[f.Rule]].Fix { // the rule's own stands with the rule
				result.Message.Text += ". " + f.Fix
			}
			run.Results = append(run.Results, result)
		}
		for _, f := range r.Waived {
			waived := sarifOf(r, f, index)
			waived.Suppressions = []sarifSuppression{{"external", j.reason(f)}}
			run.Results = append(run.Results, waived)
		}
	}
	invocation := sarifInvocation{ExecutionSuccessful: len(j.unread) == 0}
	for _, u := range j.unread {
		text := verify.Printable(u.name) + ": " + oneLine(u.err).Error()
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", sarifText{text}})
	}
	run.Invocations = []sarifInvocation{invocation}
	return encode(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifOf(r judged, f verify.Finding, index map[string]int) sarifResult {
	var l sarifLocation
	l.Physical.Artifact.URI = relativeURI(f.Path)
	l.Logical = []sarifLogical{{r.title() + " " + verify.Printable(f.Path)}}
	return sarifResult{
		RuleID: f.Rule, RuleIndex: index[f.Rule], Level: "error",
		Message:      sarifText{verify.Printable(r.title() + ": " + f.Path + ": " + f.Found)},
		Locations:    []sarifLocation{l},
		Fingerprints: map[string]string{"lucidbaseFinding/v1": fingerprint(r.platform(), f.Rule, f.Path, f.Found)},
	}
}

// relativeURI is a path from the image's root on, as a URI must spell it.
func relativeURI(p string) string {
	return (&url.URL{Path: strings.TrimLeft(p, "/")}).String()
}

// fingerprint is the same for a finding in every build of an image.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
