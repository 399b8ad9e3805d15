// Package embedded runs BuildKit inside this process, on Linux. Importing it is
// all there is to do: engine.Open then starts it when no other BuildKit is
// named, as database drivers work.
//
//	import _ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
//
// As root BuildKit shares the process: while an engine is open the process's
// umask is 0, because a graph's result must not depend on the caller's. For any
// other user the program starts itself a second time, as root of a user
// namespace, and BuildKit runs there. That happens before main: what runs in
// other packages' init functions runs in it too.
//
// BuildKit's own log is silent from the import on; its warnings go to whoever
// opened the engine.
package embedded

import "github.com/lucid-project/base-images/lucidbase/engine"

func init() { engine.RegisterEmbedded(Open) }

// otherWay ends the errors that say that BuildKit cannot run here.
const otherWay = "use another BuildKit with --engine ADDRESS or BUILDKIT_HOST"
