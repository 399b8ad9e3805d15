package verify

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// tarEntry is an entry of a layer that a test makes.
type tarEntry struct {
	tar.Header
	body string
}

func file(path, body string) tarEntry {
	return tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(body))}, body}
}

// program is a file that everybody may execute.
func program(path, body string) tarEntry { return file(path, body).mode(0o755) }

func dir(path string) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: tar.TypeDir, Name: path, Mode: 0o755}}
}

func link(path, target string) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: path, Linkname: target, Mode: 0o777}}
}

func hardlink(path, target string) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: tar.TypeLink, Name: path, Linkname: target, Mode: 0o755}}
}

func device(path string, typeflag byte) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: typeflag, Name: path, Mode: 0o600, Devmajor: 1, Devminor: 3}}
}

// whiteout deletes a path of lower layers; opaque all that they have in a directory.
func whiteout(path string) tarEntry {
	i := strings.LastIndex(path, "/") + 1
	return file(path[:i]+".wh."+path[i:], "")
}

func opaque(dir string) tarEntry { return file(dir+"/.wh..wh..opq", "") }

func (e tarEntry) mode(m int64) tarEntry { e.Mode = m; return e }

func (e tarEntry) owner(uid, gid int) tarEntry { e.Uid, e.Gid = uid, gid; return e }

func (e tarEntry) xattr(name, value string) tarEntry {
	e.PAXRecords = map[string]string{"SCHILY.xattr." + name: value}
	return e
}

// layerOf is a gzip layer of entries in the order given.
func layerOf(t testing.TB, entries ...tarEntry) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.Header
		h.Name = strings.TrimPrefix(h.Name, "/")
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.TrimPrefix(h.Linkname, "/")
		}
		require.NoError(t, w.WriteHeader(&h), h.Name)
		_, err := io.WriteString(w, e.body)
		require.NoError(t, err, h.Name)
	}
	require.NoError(t, w.Close())
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	return layer
}

// imageOf is an OCI image for linux/amd64 of layers, each a list of entries.
func imageOf(t testing.TB, config v1.Config, layers ...[]tarEntry) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: config})
	require.NoError(t, err)
	for _, entries := range layers {
		img, err = mutate.Append(img, mutate.Addendum{
			Layer: layerOf(t, entries...), MediaType: types.OCILayer, History: v1.History{CreatedBy: "test"},
		})
		require.NoError(t, err)
	}
	return img
}

// findings are those of an image that Scan has read.
func findings(t testing.TB, img v1.Image, c Contract) []Finding {
	t.Helper()
	r, err := Image(t.Context(), img, c, nil)
	require.NoError(t, err)
	return r.Findings
}

// brokenBy gives "path: found" of each finding of one rule.
func brokenBy(t testing.TB, rule string, img v1.Image) []string {
	t.Helper()
	require.True(t, isRule(rule), rule)
	var out []string
	for _, f := range findings(t, img, Contract{Only: []string{rule}}) {
		out = append(out, f.Path+": "+f.Found)
	}
	return out
}

// cleanConfig fits cleanLayer.
func cleanConfig() v1.Config {
	return v1.Config{
		User: "65532:65532", WorkingDir: "/app", Cmd: []string{"python", "/app/main.py"},
		Env: []string{
			"PATH=/opt/venv/bin:/usr/bin", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1",
			"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
		},
		Labels: map[string]string{
			"org.opencontainers.image.base.name":   "registry.example.com/distroless",
			"org.opencontainers.image.base.digest": "sha256:" + strings.Repeat("a1", 32),
		},
	}
}

// cleanLayer is a small distroless Python that breaks no rule. Its interpreter is
// a static ELF file that is never run.
func cleanLayer() []tarEntry {
	const site = "/opt/venv/lib/python3.11/site-packages"
	entries := []tarEntry{
		dir("/etc"), dir("/tmp").mode(0o1777), dir("/var/tmp").mode(0o1777),
		file("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
		file("/etc/group", "root:x:0:\nnonroot:x:65532:\n"),
		file("/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
		dir("/home/nonroot").mode(0o700).owner(65532, 65532),
		program("/usr/bin/python3.11", tinyELF(0x3e)), link("/usr/bin/python3", "python3.11"),
		file("/usr/lib/python3.11/os.py", "name = 'posix'\n"),
		file("/opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"),
		link("/opt/venv/bin/python", "/usr/bin/python3.11"), link("/opt/venv/bin/python3", "python"),
		dir(site), dir("/app"), file("/app/main.py", "print('ready')\n"),
	}
	return append(entries, distribution(site, "tiny", "1.0", file("tiny/__init__.py", "VALUE = 1\n"))...)
}

// distribution is an installed wheel with a true RECORD; the files' paths are
// relative to site.
func distribution(site, name, version string, files ...tarEntry) []tarEntry {
	info := name + "-" + version + ".dist-info/"
	files = append(files,
		file(info+"METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"),
		file(info+"WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
	var record strings.Builder
	for i, f := range files {
		sum := sha256.Sum256([]byte(f.body))
		record.WriteString(f.Name + ",sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]) + "," + strconv.Itoa(len(f.body)) + "\n")
		files[i].Name = site + "/" + f.Name
	}
	record.WriteString(info + "RECORD,,\n")
	return append(files, file(site+"/"+info+"RECORD", record.String()))
}

// tinyELF is a static program for a machine (0x3e is x86-64, 0xb7 ARM64): a
// header, one LOAD segment aligned to 64 KiB, a stack that is not executable.
func tinyELF(machine uint16) string {
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	put := func(values ...any) {
		for _, v := range values {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				panic(err)
			}
		}
	}
	const size = 64 + 2*56
	put(uint16(2), machine, uint32(1), uint64(0x400000), uint64(64), uint64(0), uint32(0))
	put(uint16(64), uint16(56), uint16(2), uint16(64), uint16(0), uint16(0))
	put(uint32(1), uint32(5), uint64(0), uint64(0x400000), uint64(0x400000), uint64(size), uint64(size), uint64(0x10000))
	put(uint32(0x6474e551), uint32(6), uint64(0), uint64(0), uint64(0), uint64(0), uint64(0), uint64(16))
	return b.String()
}

func TestCleanImage(t *testing.T) {
	require.Empty(t, findings(t, imageOf(t, cleanConfig(), cleanLayer()), Contract{}))
}
