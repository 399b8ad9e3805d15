// Package embedded runs the BuildKit that is linked into this program, on Linux.
// Importing it is all there is to do: engine.Open then starts it when no other
// BuildKit is named, as database drivers work.
//
//	import _ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
//
// The program starts itself a second time, and BuildKit runs there: in mount and
// process namespaces of its own, and for users other than root as root of a user
// namespace. So whatever ends the program, kill -9 included, nothing is left
// running or mounted, and no secret of a step can be read. The start happens
// before main: what runs in other packages' init functions runs in it too.
//
// BuildKit's own log is silent from the import on; its warnings go to whoever
// opened the engine.
package embedded

import "github.com/lucid-project/base-images/lucidbase/engine"

func init() { engine.RegisterEmbedded(Open) }

// otherWay ends the errors that say that BuildKit cannot run here.
const otherWay = "use another BuildKit with --engine ADDRESS or BUILDKIT_HOST"
