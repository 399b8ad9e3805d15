package deploy

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// dependencies returns, by name, the services that each waits for: those whose name
// its environment has as a host, less those that need it in turn.
func dependencies(all []member) map[string][]member {
	needs := map[string][]member{}
	for _, m := range all {
		hosts := m.hosts()
		for _, other := range all {
			if other.Name != m.Name && slices.Contains(hosts, other.Name) {
				needs[m.Name] = append(needs[m.Name], other)
			}
		}
	}
	waits := map[string][]member{}
	for name, others := range needs {
		for _, other := range others {
			if !reaches(needs, other.Name, name, map[string]bool{}) {
				waits[name] = append(waits[name], other)
			}
		}
	}
	return waits
}

func reaches(needs map[string][]member, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(needs[from], func(next member) bool { return !seen[next.Name] && reaches(needs, next.Name, to, seen) })
}

// hosts are the hosts of the environment: in URLs, before a port, or as the whole
// value of a variable such as REDIS_HOST.
func (m member) hosts() []string {
	var hosts []string
	for _, variable := range m.config.Env {
		name, value, _ := strings.Cut(variable, "=")
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",; \n\t", r) }) {
			if strings.HasSuffix(name, "HOST") {
				hosts = append(hosts, word)
			}
			if u, err := url.Parse(word); err == nil && u.Host != "" {
				hosts = append(hosts, u.Hostname())
			}
			host, port, _ := strings.Cut(word, ":")
			port, _, _ = strings.Cut(port, "/")
			if _, err := strconv.ParseUint(port, 10, 16); err == nil {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}
