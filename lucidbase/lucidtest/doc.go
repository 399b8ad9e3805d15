// Package lucidtest starts a Spec's image in a Go test, without Docker, as production
// runs it: by runc, with a read-only root, as the image's user, without capabilities or
// new privileges, under Docker's seccomp profile, with a tmpfs at /tmp and the image's
// volumes writable.
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
package lucidtest
