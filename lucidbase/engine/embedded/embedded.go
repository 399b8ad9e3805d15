// Package embedded runs the BuildKit that is linked into this program, on Linux.
// Importing it is all there is to do: engine.Open then starts it when no other
// BuildKit is named, as database drivers work.
//
//	import _ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
//
// # Who starts it, who uses it, who ends it
//
// BuildKit runs in a process of its own. The first program that opens a state
// directory starts itself a second time as that process, in mount and process
// namespaces of its own, and for users other than root as root of a user
// namespace. It serves every program that opens the same directory, at a socket
// there that the user alone can reach: nobody waits for a build of somebody else.
// It ends when nobody is connected any more, whoever started it. So whatever ends a
// program, kill -9 included, nothing is left running or mounted, and no secret of
// a step can be read. When BuildKit's process itself is killed, each program that
// was using it opens the directory again: one of them starts another, and all
// build again.
//
// A file lock, which BuildKit's process holds, keeps a directory to one of them.
// A program that was linked with another BuildKit does not share it: it says so and waits for the end of
// the one that runs.
//
// The start happens before main: what runs in other packages' init functions
// runs in BuildKit's process too. Of the environment it has PATH, HOME, the
// proxies and Go's own variables. What belongs to a build, such as secrets,
// credentials of registries and certificates, comes from the program that builds.
//
// BuildKit's own log is silent from the import on; its warnings go to everyone
// who is connected.
package embedded

import "github.com/lucid-project/base-images/lucidbase/engine"

func init() { engine.RegisterEmbedded(Open) }

// otherWay ends the errors that say that BuildKit cannot run here.
const otherWay = "use another BuildKit with --engine ADDRESS or BUILDKIT_HOST"
