package migrate

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// format writes services as a lucidbase.yaml.
func format(services []service) ([]byte, error) {
	all := mapping()
	for _, s := range services {
		add(all, s.name, s.node())
	}
	root := mapping()
	add(root, "services", all)
	return yaml.Dump(root, yaml.WithV4Defaults())
}

func (s service) node() *yaml.Node {
	n := mapping()
	addText(n, "base", s.base)
	addText(n, "lock", s.lock)
	addList(n, "system", s.system)
	if len(s.source) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, from := range s.source {
			f := flow(mapping())
			addText(f, "from", from.from)
			addText(f, "to", from.to)
			addList(f, "include", from.include)
			addList(f, "exclude", from.exclude)
			list.Content = append(list.Content, f)
		}
		add(n, "source", list)
	}
	addList(n, "command", s.command)
	addMap(n, "env", s.env)
	addMap(n, "labels", s.labels)
	addInts(n, s)
	addHealth(n, s.health)
	addList(n, "writable", s.writable)
	addText(n, "version", s.version)
	return n
}

func addInts(n *yaml.Node, s service) {
	if s.port != 0 {
		add(n, "port", integer(s.port))
	}
	if len(s.ports) > 0 {
		list := flow(&yaml.Node{Kind: yaml.SequenceNode})
		for _, p := range s.ports {
			list.Content = append(list.Content, integer(p))
		}
		add(n, "ports", list)
	}
}

func addHealth(n *yaml.Node, h health) {
	f := flow(mapping())
	addText(f, "path", h.path)
	if h.tcp {
		add(f, "tcp", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	addList(f, "command", h.command)
	for _, d := range []struct {
		key string
		time.Duration
	}{{"interval", h.interval}, {"timeout", h.timeout}, {"start_period", h.startPeriod}} {
		if d.Duration > 0 {
			addText(f, d.key, d.String())
		}
	}
	if h.retries > 0 {
		add(f, "retries", integer(h.retries))
	}
	if len(f.Content) > 0 {
		add(n, "health", f)
	}
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func flow(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

// text is a string, which in YAML is UTF-8: another becomes !!binary, which nothing reads.
func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToValidUTF8(value, "\ufffd")}
}

func integer(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

func add(n *yaml.Node, key string, value *yaml.Node) {
	n.Content = append(n.Content, text(key), value)
}

func addText(n *yaml.Node, key, value string) {
	if value != "" {
		add(n, key, text(value))
	}
}

func addList(n *yaml.Node, key string, values []string) {
	if len(values) == 0 {
		return
	}
	list := flow(&yaml.Node{Kind: yaml.SequenceNode})
	for _, v := range values {
		list.Content = append(list.Content, text(v))
	}
	add(n, key, list)
}

func addMap(n *yaml.Node, key string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	m := mapping()
	for _, k := range slices.Sorted(maps.Keys(values)) {
		add(m, k, text(values[k]))
	}
	add(n, key, m)
}
