package doctor

import "context"

func (m *Machine) registry(ctx context.Context) Finding {
	if m.Push == nil {
		return ok("none is named: --registry HOST/PREFIX has one asked")
	}
	if err := m.Push(ctx); err != nil {
		return bad(oneLine(err.Error()), m.hint(err, "log in with 'docker login' or 'skopeo login', and check --registry, the network and the proxy variables"))
	}
	return ok(m.Registry + " knows this user")
}
