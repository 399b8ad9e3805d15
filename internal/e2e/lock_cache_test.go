//go:build linux

package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// packageIndex serves packages as an index does that lets its pages be kept for a day.
type packageIndex struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	yanked   map[string]bool
	password string // of the user "reader"; empty means that everyone may read
}

func newPackageIndex(t *testing.T) *packageIndex {
	x := &packageIndex{files: map[string][]byte{}, yanked: map[string]bool{}}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.Close)
	return x
}

func (x *packageIndex) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, password, _ := r.BasicAuth(); x.password != "" && password != x.password {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Cache-Control", "max-age=86400")
	dir, name, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if dir == "files" && x.files[name] != nil {
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(x.files[name]))
		return
	}
	var page strings.Builder
	for file, content := range x.files {
		if dir == "simple" && strings.HasPrefix(file, name+"-") {
			yanked := map[bool]string{true: ` data-yanked=""`}[x.yanked[file]]
			fmt.Fprintf(&page, "<a href=\"/files/%s#sha256=%x\"%s>%s</a>\n", file, sha256.Sum256(content), yanked, file)
		}
	}
	if page.Len() == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(page.String())))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = io.WriteString(w, page.String())
}

func (x *packageIndex) change(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f()
}

// lock locks a list with the index.
func (x *packageIndex) lock(t *testing.T, o ownLock, list string) lock.Requirements {
	t.Helper()
	o.list(t, "requirements.txt", list)
	address := x.URL + "/simple"
	if x.password != "" {
		address = strings.Replace(address, "://", "://reader:"+x.password+"@", 1)
	}
	res := o.run(t, command{
		dir:  o.dir,
		args: []string{"lock", "-r", "requirements.txt", "--cache-dir", o.lockCache(), "--progress", "quiet"},
		env:  []string{"UV_DEFAULT_INDEX=" + address, "PIP_INDEX_URL=" + address},
	})
	require.Zero(t, res.code, res.stderr)
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	return locked.Requirements
}

// pureWheel returns the bytes of a wheel of one module.
func pureWheel(t *testing.T, name, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	info := name + "-" + version + ".dist-info/"
	record := ""
	add := func(file, text string) {
		f, err := w.Create(file)
		require.NoError(t, err)
		_, err = io.WriteString(f, text)
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(text))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", file, base64.RawURLEncoding.EncodeToString(sum[:]), len(text))
	}
	add(name+".py", "")
	add(info+"METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n")
	add(info+"WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	add(info+"RECORD", record+info+"RECORD,,\n")
	require.NoError(t, w.Close())
	return b.Bytes()
}

// hostile is the backend of a source that writes wherever it can reach what other
// resolutions use, and removes the traces of itself.
const hostile = `
import os, pathlib, shutil, zipfile
def spoil():
    for place in ("/cache", "/cache/uv", "/cache/sources", "/asking", "/resolve"):
        try:
            os.makedirs(place, exist_ok=True)
            pathlib.Path(place, "spoilt").write_text("spoilt")
        except OSError:
            pass
    for kept in pathlib.Path("/cache").rglob("*"):
        try:
            kept.write_text("spoilt")
        except OSError:
            pass
def build_wheel(directory, settings=None, metadata=None):
    spoil()
    info = "hostile-1.0.dist-info/"
    with zipfile.ZipFile(directory + "/hostile-1.0-py3-none-any.whl", "w") as w:
        w.writestr("hostile.py", "")
        w.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
        w.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        w.writestr(info + "RECORD", f"hostile.py,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
    return "hostile-1.0-py3-none-any.whl"
`

func hostileSource(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range map[string]string{
		"PKG-INFO":       "Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n",
		"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n[project]\nname = \"hostile\"\ndynamic = [\"version\", \"dependencies\"]\n",
		"backend.py":     hostile,
	} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: "hostile-1.0/" + name, Size: int64(len(text)), Mode: 0o644, Format: tar.FormatPAX}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

// What a resolution keeps saves time and nothing else: a release, and one that is
// withdrawn, is seen at once, whatever the index says of how long its pages may be
// kept; a source's own code changes nothing for other lists; and what needs a password
// is kept for nobody.
func TestLockCache(t *testing.T) {
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	o.list(t, "requirements.txt", "six==1.16.0\n")
	require.Zero(t, o.lock(t).code, "for uv, which the test's index has not")
	index := newPackageIndex(t)
	index.files["fresh-1.0-py3-none-any.whl"] = pureWheel(t, "fresh", "1.0")
	index.files["hostile-1.0.tar.gz"] = hostileSource(t)
	version := func(list string) string { return find(index.lock(t, o, list), "fresh").Version }

	require.Equal(t, "1.0", version("fresh\n"))
	require.NotEmpty(t, kept(t, s, "fresh-1.0-py3-none-any.whl"), "the page is kept")
	index.change(func() { index.files["fresh-2.0-py3-none-any.whl"] = pureWheel(t, "fresh", "2.0") })
	require.Equal(t, "2.0", version("fresh\n"), "a new release")
	index.change(func() { index.yanked["fresh-2.0-py3-none-any.whl"] = true })
	require.Equal(t, "1.0", version("fresh\n"), "a yanked one")

	require.Equal(t, "1.0", version("fresh\nhostile\n"))
	require.Empty(t, kept(t, s, "spoilt"), "a source has written into the cache")
	require.Equal(t, "1.0", version("fresh\nhostile\n"), "and again, as it was learnt")
	require.Empty(t, kept(t, s, "spoilt"))

	private := newPackageIndex(t)
	private.password = "hunter2"
	private.files["confidential-1.0-py3-none-any.whl"] = pureWheel(t, "confidential", "1.0")
	require.Equal(t, "1.0", find(private.lock(t, o, "confidential\n"), "confidential").Version)
	require.Empty(t, kept(t, s, "hunter2"))
	require.Empty(t, kept(t, s, "confidential-1.0-py3-none-any.whl"))
}

// kept returns the files below the directory of cache mounts that name or hold a text.
func kept(t *testing.T, s shared, text string) (found []string) {
	t.Helper()
	root := filepath.Join(s.lockCache(), "buildkit")
	require.DirExists(t, root)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		inMount := strings.Contains(path, "/fs/uv/") || strings.Contains(path, "/fs/sources/") || strings.HasSuffix(path, "/fs/spoilt")
		if err != nil || !d.Type().IsRegular() || !inMount {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) || strings.Contains(path, text) {
			found = append(found, path)
		}
		return err
	}))
	return found
}
