package doctor

import (
	"cmp"
	"context"
	"runtime"
	"strings"
)

// version never fails: it is what a report of an error begins with.
func (m *Machine) version(context.Context) Finding {
	return ok("lucidbase " + m.Version + ", " + runtime.GOOS + "/" + runtime.GOARCH)
}

// engine says what would build, and who chose it; and what of several does not answer, which
// a build goes on without.
func (m *Machine) engine(ctx context.Context) Finding {
	found, without, err := m.Engine(ctx)
	switch {
	case err != nil:
		return bad(oneLine(err.Error()), m.hint(err, "check --engine and BUILDKIT_HOST, or use none: on Linux there is one in this program"))
	case without != "":
		return note(oneLine(found)+"; "+oneLine(without), "start it, or take it out of --engine")
	}
	return ok(found)
}

// hint returns what the command would say of an error, or else a text.
func (m *Machine) hint(err error, other string) string {
	if m.Hint == nil {
		return other
	}
	return cmp.Or(m.Hint(err), other)
}

// oneLine joins the lines of an error.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
