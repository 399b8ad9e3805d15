package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/internal/v1image"
)

// blobs lists the files of a layout's blobs.
func blobs(t *testing.T, dir string) (files []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// Each blob of a layout whose content is not what its digest says is an error
// that names both, and no finding.
func TestVerifyLyingBlobs(t *testing.T) {
	dir := layoutOf(t, "amd64")
	for _, blob := range blobs(t, dir) {
		data, err := os.ReadFile(blob)
		require.NoError(t, err)
		changed := bytes.Clone(data)
		changed[len(changed)-1] ^= 1
		require.NoError(t, os.WriteFile(blob, changed, 0o600))
		for _, source := range []string{dir, tarOf(t, dir, false)} {
			status, _, errOut := run(t, nil, "verify", source, "--only", "index")
			require.Equal(t, statusUnread, status, errOut)
			require.Contains(t, errOut, "could not read "+source)
			require.Contains(t, errOut, "sha256:"+filepath.Base(blob)+": its content is sha256:"+v1image.Hash(changed).Hex)
		}
		require.NoError(t, os.WriteFile(blob, data, 0o600))
	}
	status, _, errOut := run(t, nil, "verify", dir, "--only", "index")
	require.Zero(t, status, errOut)
}

func TestVerifyMissingBlob(t *testing.T) {
	for i := range 4 {
		dir := layoutOf(t, "amd64")
		files := blobs(t, dir)
		require.Len(t, files, 4, "index, manifest, config, layer")
		require.NoError(t, os.Remove(files[i]))
		status, _, errOut := run(t, nil, "verify", dir, "--only", "index")
		require.Equal(t, statusUnread, status)
		require.Contains(t, errOut, filepath.Base(files[i]))
	}
}

func TestVerifyUnreadable(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	good, err := os.ReadFile(saved(t, worldWritable(t, "amd64", "x")))
	require.NoError(t, err)
	r := testregistry.New(t)
	for name, c := range map[string]struct{ arg, says string }{
		"no path":       {filepath.Join(dir, "none"), "no such file"},
		"directory":     {dir, "neither oci-layout nor manifest.json"},
		"text":          {write("text", "hello"), "reading the tar"},
		"empty":         {write("empty", ""), "neither oci-layout nor manifest.json"},
		"another tar":   {write("other.tar", string(tarWith(t, "a", "b"))), "neither oci-layout nor manifest.json"},
		"cut":           {write("cut.tar", string(good[:len(good)/2+100])), "unexpected EOF"},
		"bad JSON":      {write("json.tar", string(tarWith(t, "manifest.json", "{"))), "parsing manifest.json"},
		"no image":      {write("no.tar", string(tarWith(t, "manifest.json", "[]"))), "no image in it"},
		"no config":     {write("config.tar", string(tarWith(t, "manifest.json", `[{"Config":"../x","Layers":["/etc/passwd"]}]`))), "not in the archive"},
		"no reference":  {"UPPER/case", "no image reference"},
		"unknown image": {r.Ref("lucid/none:v1"), "asking the registry"},
		"cut gzip":      {write("cut.gz", "\x1f\x8b\x08\x00"), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errOut := run(t, nil, "verify", c.arg)
			require.Equal(t, statusUnread, status, out+errOut)
			require.Contains(t, errOut, "could not read "+c.arg+": ")
			require.Contains(t, errOut, c.says)
			require.NotContains(t, errOut, "/etc/passwd")
		})
	}
}

// A registry that does not answer as one is an error soon, in one line.
func TestVerifyARegistryInTrouble(t *testing.T) {
	const forEver = 999
	silent := testregistry.Fault{Delay: time.Hour, Status: http.StatusInternalServerError, Times: forEver}
	at := func(path string, f testregistry.Fault) testregistry.Fault {
		f.Path = path
		return f
	}
	for name, c := range map[string]struct {
		fault testregistry.Fault
		says  string
	}{
		"silence":              {at("/v2/", silent), `/v2/": no answer in 200ms`},
		"silence of manifests": {at("/manifests/", silent), `/manifests/v1": no answer in 200ms`},
		"silence of blobs":     {at("/blobs/", silent), "no answer in 200ms"},
		"silence in blobs":     {at("/blobs/", testregistry.Fault{Stall: true, Times: forEver}), "no further byte of the answer in 400ms"},
		"a page":               {at("/manifests/", testregistry.Fault{Page: true, Times: forEver}), "200 OK with a web page, which no registry answers"},
		"circles":              {at("/manifests/", testregistry.Fault{Status: http.StatusFound, Header: http.Header{"Location": {"/v2/lucid/both/manifests/v1"}}, Times: forEver}), "stopped after 10 redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testregistry.New(t)
			ref := push(t, r, "lucid/both:v1", "amd64")
			r.Inject(c.fault)
			status, out, errOut := run(t, nil, "verify", ref, "--registry-timeout", "200ms", "--cache-dir", t.TempDir())
			require.Equal(t, statusUnread, status, out+errOut)
			require.Contains(t, errOut, "could not read "+ref+": ")
			require.Contains(t, errOut, c.says)
		})
	}
}

// A registry that asks to wait is named while it is waited for.
func TestVerifyWaits(t *testing.T) {
	r := testregistry.New(t)
	ref := push(t, r, "lucid/both:v1", "amd64")
	r.Inject(testregistry.Fault{Path: "/manifests/", Status: http.StatusTooManyRequests, RetryAfter: "1"})
	status, _, errOut := run(t, nil, "verify", ref, "--only", "shell", "--cache-dir", t.TempDir())
	require.NotEqual(t, statusUnread, status, errOut)
	require.Contains(t, errOut, "waiting 1s for "+r.Host+", which asks for it (429 Too Many Requests)")
}

func tarWith(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
	_, err := io.WriteString(w, content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// What cannot be read does not hide what can.
func TestVerifyReadsOn(t *testing.T) {
	good := layoutOf(t, "amd64")
	status, out, errOut := run(t, nil, "verify", "./none", good, "--only", "world-writable")
	require.Equal(t, statusUnread, status)
	require.Contains(t, out, "world-writable: /amd64")
	require.Contains(t, errOut, "could not read ./none")
}

// A manifest of a form that is not known is not judged.
func TestVerifyUnknownManifest(t *testing.T) {
	for name, manifest := range map[string]v1.Manifest{
		"schema 1": {SchemaVersion: 1, MediaType: types.DockerManifestSchema1Signed},
		"unknown":  {SchemaVersion: 2, MediaType: "application/vnd.example.thing"},
		"no image": {SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: v1.Descriptor{
			MediaType: types.OCIEmptyJSON, Size: 2, Digest: v1image.Hash([]byte("{}")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			blob := func(v any) v1.Descriptor {
				data, err := json.Marshal(v)
				require.NoError(t, err)
				desc := v1.Descriptor{Digest: v1image.Hash(data), Size: int64(len(data))}
				require.NoError(t, os.MkdirAll(filepath.Join(dir, "blobs/sha256"), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "blobs/sha256", desc.Digest.Hex), data, 0o600))
				return desc
			}
			blob(struct{}{})
			desc := blob(manifest)
			desc.MediaType = manifest.MediaType
			top, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{desc}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.json"), top, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
			status, out, errOut := run(t, nil, "verify", dir)
			require.Equal(t, statusUnread, status, out)
			require.Contains(t, errOut, desc.Digest.String())
			require.True(t, strings.Contains(errOut, "no image"), errOut)
		})
	}
}
