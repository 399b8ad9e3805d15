package deploy

import (
	"bytes"
	"errors"
	"slices"

	"go.yaml.in/yaml/v4"
)

// noise is what the types write though it says nothing, in Kubernetes and Compose.
var noise = map[string]string{"status": "{}", "strategy": "{}", "resources": "{}", "loadBalancer": "{}", "required": "true"}

// first are the keys that people look for first.
var first = []string{"apiVersion", "kind", "metadata", "name", "image"}

// parse returns the document for people: without noise, and the first keys first.
func parse(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	tidy(&doc)
	return &doc, nil
}

func format(doc *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	err := errors.Join(enc.Encode(doc), enc.Close())
	return out.Bytes(), err
}

func tidy(n *yaml.Node) {
	for _, child := range n.Content {
		tidy(child)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	pairs := slices.Collect(slices.Chunk(n.Content, 2))
	pairs = slices.DeleteFunc(pairs, func(pair []*yaml.Node) bool {
		text, ok := noise[pair[0].Value]
		return pair[1].Tag == "!!null" || ok && text == flow(pair[1])
	})
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int { return rank(a[0]) - rank(b[0]) })
	n.Content = slices.Concat(pairs...)
}

func flow(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		return "{}"
	}
	return n.Value
}

func rank(key *yaml.Node) int {
	if i := slices.Index(first, key.Value); i >= 0 {
		return i
	}
	return len(first)
}

// share says a text once, under a key at the top, and refers to it in all other
// places.
func share(doc *yaml.Node, key, anchor, text string) {
	said := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: text, Anchor: anchor}
	refer(doc, said)
	top := doc.Content[0]
	top.Content = append([]*yaml.Node{{Kind: yaml.ScalarNode, Value: key}, said}, top.Content...)
}

func refer(n, said *yaml.Node) {
	for i, child := range n.Content {
		if child.Kind == yaml.ScalarNode && child.Value == said.Value {
			n.Content[i] = &yaml.Node{Kind: yaml.AliasNode, Value: said.Anchor, Alias: said}
		}
		refer(child, said)
	}
}
