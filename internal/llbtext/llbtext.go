// Package llbtext writes BuildKit graphs for people: operations numbered in
// order, inputs by number, so that a change of one line changes one line.
package llbtext

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
)

// Op is one operation of a graph.
type Op struct {
	// Number counts from 1; inputs have lower numbers.
	Number int `json:"op"`
	// Name is what the display shows, if the graph says so.
	Name string `json:"name,omitempty"`
	// Platform that the operation is for or runs on.
	Platform string `json:"platform,omitempty"`
	// Kind is "source", "file", "exec", "merge" or another of BuildKit's operations.
	Kind string `json:"kind"`
	// Text is what the operation does, one line for each part.
	Text []string `json:"text"`
	// Inputs are the numbers of the operations whose results it uses.
	Inputs []int `json:"inputs,omitempty"`
}

// Ops lists the operations of a graph; the last is the result.
func Ops(def *llb.Definition) ([]Op, error) {
	numbers := map[string]int{}
	var ops []Op
	for i, raw := range def.Def {
		var p pb.Op
		if err := p.UnmarshalVT(raw); err != nil {
			return nil, fmt.Errorf("decoding operation %d: %w", i+1, err)
		}
		d := digest.FromBytes(raw)
		if p.Op == nil { // the last one only points at the result
			continue
		}
		op := Op{Number: len(ops) + 1, Name: def.Metadata[d].Description["llb.customname"]}
		numbers[d.String()] = op.Number
		if p.Platform != nil {
			op.Platform = p.Platform.OS + "/" + p.Platform.Architecture
		}
		for _, in := range p.Inputs {
			op.Inputs = append(op.Inputs, numbers[in.Digest])
		}
		op.Kind, op.Text = describe(&p, op.Inputs)
		ops = append(ops, op)
	}
	return ops, nil
}

// Text writes one line an operation, and one indented for each of its parts.
func Text(ops []Op) string {
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "%2d %s %s", op.Number, op.Kind, op.Platform)
		if op.Name != "" {
			fmt.Fprintf(&b, " %q", op.Name)
		}
		b.WriteByte('\n')
		for _, line := range op.Text {
			fmt.Fprintf(&b, "     %s\n", line)
		}
	}
	return b.String()
}

// JSON writes the operations as a list.
func JSON(ops []Op) string {
	data, err := json.MarshalIndent(ops, "", "  ")
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return string(data) + "\n"
}

// Dot writes the graph for Graphviz.
func Dot(ops []Op) string {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir=LR\n  node [shape=box]\n")
	for _, op := range ops {
		fmt.Fprintf(&b, "  %d [label=%q]\n", op.Number, op.title())
		for _, in := range op.Inputs {
			fmt.Fprintf(&b, "  %d -> %d\n", in, op.Number)
		}
	}
	return b.String() + "}\n"
}

// Mermaid writes the graph for Markdown.
func Mermaid(ops []Op) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, op := range ops {
		fmt.Fprintf(&b, "  n%d[\"%s\"]\n", op.Number, strings.ReplaceAll(op.title(), `"`, "#quot;"))
		for _, in := range op.Inputs {
			fmt.Fprintf(&b, "  n%d --> n%d\n", in, op.Number)
		}
	}
	return b.String()
}

func (op Op) title() string {
	if op.Name != "" {
		return op.Name
	}
	return op.Kind + " " + strings.Join(op.Text, " ")
}

func describe(p *pb.Op, inputs []int) (kind string, lines []string) {
	switch {
	case p.GetSource() != nil:
		return "source", append([]string{p.GetSource().Identifier}, sorted(p.GetSource().Attrs)...)
	case p.GetFile() != nil:
		return "file", fileLines(p.GetFile(), inputs)
	case p.GetExec() != nil:
		return "exec", execLines(p.GetExec(), inputs)
	case p.GetMerge() != nil:
		return "merge", mergeLines(p, inputs)
	}
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain protobuf structs always encode
	}
	return "other", []string{string(data)}
}

func fileLines(f *pb.FileOp, inputs []int) (lines []string) {
	for _, a := range f.Actions {
		switch {
		case a.GetMkfile() != nil:
			lines = append(lines, mkfileLines(a.GetMkfile())...)
		case a.GetMkdir() != nil:
			lines = append(lines, fmt.Sprintf("mkdir %s %#o", a.GetMkdir().Path, a.GetMkdir().Mode))
		case a.GetCopy() != nil:
			c := a.GetCopy()
			lines = append(lines, fmt.Sprintf("copy %s to %s", c.Src, c.Dest))
		default:
			lines = append(lines, a.String())
		}
	}
	for _, in := range inputs {
		lines = append(lines, fmt.Sprintf("onto %d", in))
	}
	return lines
}

// mostText is the size up to which a file is shown whole: lists and requests are
// read in a diff, scripts where they are.
const mostText = 2048

func mkfileLines(m *pb.FileActionMkFile) []string {
	line := fmt.Sprintf("mkfile %s %#o %d bytes", m.Path, m.Mode, len(m.Data))
	if len(m.Data) > mostText || !utf8.Valid(m.Data) {
		sum := sha256.Sum256(m.Data)
		return []string{line + " sha256:" + hex.EncodeToString(sum[:])}
	}
	lines := []string{line}
	for text := range strings.Lines(string(m.Data)) {
		lines = append(lines, "| "+strings.TrimSuffix(text, "\n"))
	}
	return lines
}

// mergeLines lists what is merged, the lowest first.
func mergeLines(p *pb.Op, inputs []int) (lines []string) {
	for i, in := range p.Inputs {
		lines = append(lines, fmt.Sprintf("layer from %d output %d", inputs[i], in.Index))
	}
	return lines
}

func execLines(e *pb.ExecOp, inputs []int) []string {
	lines := []string{strings.Join(e.Meta.Args, " ")}
	for _, env := range e.Meta.Env {
		lines = append(lines, "env "+env)
	}
	lines = append(lines, "network "+strings.ToLower(e.Network.String()))
	for _, m := range e.Mounts {
		lines = append(lines, mountLine(m, inputs))
	}
	var secrets []string
	for _, s := range e.Secretenv {
		secrets = append(secrets, s.Name+"="+s.ID+optional(s.Optional))
	}
	if len(secrets) > 0 {
		lines = append(lines, "secrets in env "+strings.Join(secrets, ", "))
	}
	return lines
}

func mountLine(m *pb.Mount, inputs []int) string {
	line := "mount " + m.Dest
	switch {
	case m.SecretOpt != nil:
		return fmt.Sprintf("secret %s=%s%s", m.Dest, m.SecretOpt.ID, optional(m.SecretOpt.Optional))
	case m.CacheOpt != nil:
		line += " cache " + m.CacheOpt.ID
	case m.Input >= 0:
		line += fmt.Sprintf(" from %d%s", inputs[m.Input], m.Selector)
	default:
		line += " empty"
	}
	if m.Readonly {
		line += " read-only"
	}
	if m.Output >= 0 && !m.Readonly {
		line += fmt.Sprintf(" output %d", m.Output)
	}
	return line
}

func optional(yes bool) string {
	if yes {
		return "?"
	}
	return ""
}

func sorted(attrs map[string]string) (lines []string) {
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		lines = append(lines, k+"="+attrs[k])
	}
	return lines
}
