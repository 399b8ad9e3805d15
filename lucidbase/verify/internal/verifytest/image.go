package verifytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// ImageOf is an OCI image for linux/amd64 of layers, each a list of entries.
func ImageOf(t testing.TB, config v1.Config, layers ...[]Entry) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: config})
	require.NoError(t, err)
	for _, entries := range layers {
		img, err = mutate.Append(img, mutate.Addendum{
			Layer: LayerOf(t, entries...), MediaType: types.OCILayer, History: v1.History{CreatedBy: "test"},
		})
		require.NoError(t, err)
	}
	return img
}

// CleanConfig fits cleanLayer.
func CleanConfig() v1.Config {
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

// CleanLayer is a small distroless Python that breaks no rule. Its interpreter is
// a static ELF file that is never run.
func CleanLayer() []Entry {
	const site = "/opt/venv/lib/python3.11/site-packages"
	entries := []Entry{
		Dir("/etc"), Dir("/tmp").WithMode(0o1777), Dir("/var/tmp").WithMode(0o1777),
		File("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
		File("/etc/group", "root:x:0:\nnonroot:x:65532:\n"),
		File("/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
		Dir("/home/nonroot").WithMode(0o700).OwnedBy(65532, 65532),
		Program("/usr/bin/python3.11", TinyELF(0x3e)), Link("/usr/bin/python3", "python3.11"),
		File("/usr/lib/python3.11/os.py", "name = 'posix'\n"),
		File("/opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"),
		Link("/opt/venv/bin/python", "/usr/bin/python3.11"), Link("/opt/venv/bin/python3", "python"),
		Dir(site), Dir("/app"), File("/app/main.py", "print('ready')\n"),
	}
	return append(entries, Distribution(site, "tiny", "1.0", File("tiny/__init__.py", "VALUE = 1\n"))...)
}

// Distribution is an installed wheel with a true RECORD; the files' paths are
// relative to site.
func Distribution(site, name, version string, files ...Entry) []Entry {
	info := name + "-" + version + ".dist-info/"
	files = append(files,
		File(info+"METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"),
		File(info+"WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
	var record strings.Builder
	for i, f := range files {
		sum := sha256.Sum256([]byte(f.Body))
		record.WriteString(f.Name + ",sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]) + "," + strconv.Itoa(len(f.Body)) + "\n")
		files[i].Name = site + "/" + f.Name
	}
	record.WriteString(info + "RECORD,,\n")
	return append(files, File(site+"/"+info+"RECORD", record.String()))
}

// TinyELF is a static program for a machine (0x3e is x86-64, 0xb7 ARM64): a
// header, one LOAD segment aligned to 64 KiB, a stack that is not executable.
func TinyELF(machine uint16) string {
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

// Needing is a distribution's METADATA with more headers.
func Needing(site, name, version string, headers ...string) Entry {
	return File(site+"/"+name+"-"+version+".dist-info/METADATA",
		"Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"+strings.Join(headers, "\n")+"\n\nA text.\nRequires-Dist: nothing\n")
}
