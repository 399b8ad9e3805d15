package debian

import (
	"archive/tar"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
)

// A server's packages, as they are: no image would have a shell's script, a setuid file,
// or a link that a package's script would have given something to lead to.
func TestPeerLayer(t *testing.T) {
	server := debtest.Package{
		Name: "server",
		Entries: []tar.Header{
			debtest.Regular("./usr/bin/start", 0o755),
			debtest.Regular("./usr/bin/su", 0o4755),
			debtest.Link("./usr/bin/editor", "/etc/alternatives/editor"),
			debtest.Regular("./usr/lib/tmpfiles.d/server.conf", 0o644),
			{Name: "./etc/server/", Typeflag: tar.TypeDir, Mode: 0o750},
			{Name: "./var/lib/server/", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 5},
		},
		Content: map[string]string{
			"./usr/bin/start":                  "#!/bin/sh\n",
			"./usr/lib/tmpfiles.d/server.conf": "# d /run/no\nd /run/server 2775 server server - -\nd! /var/run/other\nf /run/file\nd /etc/x\n",
		},
	}
	other := debtest.Package{Name: "other", Entries: []tar.Header{debtest.Dir("./etc/server/")}}
	layer, locked := makeLayer(t, supply.Peer, append(base(), server, other))
	got := debtest.Listing(t, layer)
	for name, want := range map[string]string{
		"usr/bin/start":                   "0 755 0:0 #!/bin/sh\n",
		"usr/sbin/update-ca-certificates": "0 755 0:0 #! /bin/sh -e\n",
		"usr/bin/su":                      "0 755 0:0 ",
		"usr/bin/editor":                  "2 777 0:0 /etc/alternatives/editor",
		"etc/server":                      "5 755 0:0", // the first package's
		"data":                            "5 755 65532:65532",
		"run/server":                      "5 755 65532:65532",
		"run/other":                       "5 755 65532:65532",
		"var":                             "5 755 65532:65532",
		"var/lib/server":                  "5 750 65532:65532",
		"var/run":                         "2 777 65532:65532 /run",
		"run/no":                          "",
		"run/file":                        "",
		"etc/x":                           "",
		"var/lib/dpkg/status.d/server":    "0 644 0:0 Package: server\nVersion: 1\nArchitecture: amd64\n",
	} {
		require.Equal(t, want, got[name], name)
	}
	// Of the packages that lucidtest keeps, the layer's digest is kept, too.
	require.Equal(t, "sha256:3f8d6da61e1a5bafcea0ce4407a3b80edf0db378437f9124af4ed4bbd8833bf5", locked.Digest, "raise packagesFormat of lucidtest")

	a := &Archives{Cache: t.TempDir()}
	_, err := a.Layer(t.Context(), input(t, a.Cache, supply.Rootfs, []debtest.Package{server}), io.Discard)
	require.ErrorContains(t, err, "entry ./usr/bin/su: is setuid", "an image's layer")
}
