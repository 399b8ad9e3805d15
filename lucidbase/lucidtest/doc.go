// Package lucidtest starts a Spec's image in a Go test, without Docker, as production
// runs it: by runc, with a read-only root, as the image's user, without capabilities or
// new privileges, under Docker's seccomp profile, with a tmpfs at /tmp and the image's
// volumes writable. It does the same in Docker where that is wanted.
//
//	func TestHealth(t *testing.T) {
//		c := lucidtest.Run(t, gateway(), lucidtest.Env("LOG_LEVEL", "debug"), lucidtest.WaitHTTP("/health"))
//		res, err := c.Client().Get("http://gateway:8000/health")
//		...
//	}
//
// Each Run has a network of its own, which reaches nothing but the container and its
// Peers: ports never clash, and tests may be parallel, in one program and in many. When
// the test ends, or the program, however it does, nothing is left but unpacked layers in
// the user's cache directory.
//
// It needs Linux 5.11 and runc, and root or a user with subordinate ids (subuid(5)). An
// image for another CPU runs where an emulator is registered with binfmt_misc, or where
// Linux is 6.7 and qemu-user-static is installed. A test that cannot run is skipped, and
// says why; with LUCID_REQUIRE_ENGINE=1 in the environment it fails instead.
//
// With LUCIDTEST_ENGINE=docker in the environment, the same tests run the image in the
// Docker that the docker command would use, 20.10 or later: on macOS and Windows, or where
// Docker is wanted. What is different:
//
//   - The network has no way out and names alone, as here, but it is Docker's own. Client,
//     Dial and URL connect by a program in the container, which is Python: a peer without
//     it is helped by a container of the service's image.
//   - Network is the network of the machine that Docker runs on, which is not this one
//     where Docker has a virtual machine, and Mount shows files of that machine.
//   - ReadFile finds nothing below /tmp after the end.
//   - When the program is killed, its containers stay until the next program on this
//     machine that uses lucidtest; images stay for two weeks after they were last run.
package lucidtest
