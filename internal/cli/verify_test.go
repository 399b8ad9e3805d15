package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// worldWritable is an image whose only layer has files that everybody may write.
func worldWritable(t *testing.T, arch string, names ...string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o666, Size: 5}))
		_, err := io.WriteString(w, "hello")
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: arch})
	require.NoError(t, err)
	img, err = mutate.Append(img, mutate.Addendum{Layer: l, MediaType: types.OCILayer})
	require.NoError(t, err)
	return img
}

// index is of the given architectures, each with a file /ARCH that everybody may write.
func index(t *testing.T, archs ...string) v1.ImageIndex {
	t.Helper()
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range archs {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{
			Add: worldWritable(t, arch, arch), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return idx
}

// layoutOf writes a layout whose only entry is an index of the architectures.
func layoutOf(t *testing.T, archs ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "image")
	p, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, p.AppendIndex(index(t, archs...)))
	return dir
}

// saved writes a "docker save" archive.
func saved(t *testing.T, images ...v1.Image) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "saved.tar")
	refs := map[name.Reference]v1.Image{}
	for i, img := range images {
		tag, err := name.NewTag("lucid/saved:" + string(rune('a'+i)))
		require.NoError(t, err)
		refs[tag] = img
	}
	require.NoError(t, tarball.MultiRefWriteToFile(file, refs))
	return file
}

// tarOf packs a directory.
func tarOf(t *testing.T, dir string, compress bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layout.tar")
	f, err := os.Create(file)
	require.NoError(t, err)
	defer f.Close()
	var out io.WriteCloser = f
	if compress {
		z := gzip.NewWriter(f)
		defer z.Close()
		out = z
	}
	w := tar.NewWriter(out)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, w.Close())
	return file
}

func push(t *testing.T, r *testregistry.Registry, nameTag string, archs ...string) string {
	t.Helper()
	ref, err := name.ParseReference(r.Ref(nameTag))
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index(t, archs...)))
	return r.Ref(nameTag)
}

// Each form of an image has the same findings.
func TestVerifySources(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	both := layoutOf(t, "amd64", "arm64")
	flat := filepath.Join(t.TempDir(), "flat")
	p, err := layout.Write(flat, empty.Index)
	require.NoError(t, err)
	require.NoError(t, p.AppendImage(worldWritable(t, "amd64", "amd64")))
	const amd64, arm64 = "world-writable /amd64", "world-writable /arm64"
	for what, c := range map[string]struct {
		ref   string
		found []string
	}{
		"layout":                {both, []string{amd64, arm64}},
		"layout of an image":    {flat, []string{amd64}},
		"tar of a layout":       {tarOf(t, both, false), []string{amd64, arm64}},
		"gzip of a layout":      {tarOf(t, both, true), []string{amd64, arm64}},
		"docker save":           {saved(t, worldWritable(t, "amd64", "amd64")), []string{amd64}},
		"docker save of images": {saved(t, worldWritable(t, "amd64", "amd64"), worldWritable(t, "arm64", "arm64")), []string{amd64, arm64}},
		"reference":             {push(t, testregistry.New(t), "lucid/both:v1", "amd64", "arm64"), []string{amd64, arm64}},
	} {
		t.Run(what, func(t *testing.T) {
			report, status := verifyJSON(t, "--only", "world-writable,index,media-type,diff-id,platform", c.ref)
			require.Equal(t, 1, status)
			var found []string
			for _, image := range report.Images {
				require.Equal(t, 1, image.Files)
				require.Equal(t, 1, image.Layers)
				for _, f := range image.Findings {
					found = append(found, f.Rule+" "+f.Path)
				}
			}
			require.ElementsMatch(t, c.found, found)
			require.Empty(t, report.Errors)
		})
	}
}

func verifyJSON(t *testing.T, args ...string) (report jsonReport, status int) {
	t.Helper()
	status, out, errOut := run(t, nil, append([]string{"verify", "--format", "json"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(out), &report), "%s%s", out, errOut)
	return report, status
}

// A layer that was scanned is not fetched again.
func TestVerifyRemembersLayers(t *testing.T) {
	r := testregistry.New(t)
	ref := push(t, r, "lucid/once:v1", "amd64", "arm64")
	cache := t.TempDir()
	layers := func() (n int) {
		before := len(r.Requests())
		status, out, errOut := run(t, nil, "verify", "--cache-dir", cache, "--only", "world-writable", ref)
		require.Equal(t, 1, status, errOut)
		require.Contains(t, out, "world-writable: /amd64")
		for _, q := range r.Requests()[before:] {
			if q.Method == http.MethodGet && strings.Contains(q.Path, "/blobs/") {
				n++
			}
		}
		return n
	}
	first := layers()
	require.Equal(t, first-4, layers(), "two layers, each read and looked at")
}

func TestVerifyPlatforms(t *testing.T) {
	both, one := layoutOf(t, "amd64", "arm64"), layoutOf(t, "amd64")
	for name, c := range map[string]struct {
		dir, platform string
		status        int
		judged        []string
	}{
		"all":     {both, "", 0, []string{"linux/amd64", "linux/arm64"}},
		"one":     {both, "linux/arm64", 0, []string{"linux/arm64"}},
		"there":   {one, "linux/amd64", 0, []string{"linux/amd64"}},
		"missing": {one, "linux/amd64,linux/arm64", 1, []string{"linux/amd64", "linux/arm64"}},
	} {
		t.Run(name, func(t *testing.T) {
			report, status := verifyJSON(t, "--only", "index", "--platform="+c.platform, c.dir)
			require.Equal(t, c.status, status)
			var judged []string
			for _, image := range report.Images {
				judged = append(judged, image.Platform)
			}
			require.Equal(t, c.judged, judged)
		})
	}
}

func TestVerifyUsage(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"", "no image"},
		{"--format html x", "table, json, sarif, junit"},
		{"--only nothing x", `no rule "nothing"`},
		{"--except shell,nothing x", `no rule "nothing"`},
		{"--waive shell:/bin/sh x", "RULE:PATH=REASON"},
		{"--waive nothing:/bin/sh=why x", `no rule "nothing"`},
		{"--platform plan9 x", "plan9"},
		{"--as debian x", "unknown image"},
	} {
		status, out, errOut := run(t, nil, append([]string{"verify"}, strings.Fields(c.args)...)...)
		require.Equal(t, statusUsage, status, "%s: %s", c.args, errOut)
		require.Contains(t, errOut, c.says)
		require.Empty(t, out)
	}
}

func TestVerifyWaivers(t *testing.T) {
	dir := layoutOf(t, "amd64", "arm64")
	status, out, errOut := run(t, nil, "verify", dir, "--only", "world-writable",
		"--waive", "world-writable:/amd64=a test, with = and commas", "--waive", "world-writable:/arm64=too", "--waive", "shell:/bin/sh=none")
	require.Zero(t, status, out+errOut)
	require.Contains(t, out, "linux/amd64: waived: world-writable: /amd64: ")
	require.Contains(t, out, "(a test, with = and commas)")
	require.Contains(t, out, dir+" linux/amd64: 0 findings, 1 waived, 1 file in 1 layer\n")
	require.Contains(t, errOut, "waiver shell:/bin/sh=none: there is nothing to waive")
	require.NotContains(t, errOut, "world-writable")
}

func TestVerifyTable(t *testing.T) {
	hostile := "evil\x1b[2J\nname"
	file := saved(t, worldWritable(t, "amd64", "a", hostile))
	status, out, errOut := run(t, nil, "verify", file, "--only", "world-writable")
	require.Equal(t, 1, status)
	require.Empty(t, errOut)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5, out)
	require.True(t, strings.HasPrefix(lines[0], "world-writable: /a: "), lines[0])
	require.True(t, strings.HasPrefix(lines[1], `world-writable: /evil\x1b[2J\nname: `), lines[1])
	require.True(t, strings.HasPrefix(lines[2], "    why: "))
	require.True(t, strings.HasPrefix(lines[3], "    fix: "))
	require.Equal(t, file+" linux/amd64: 2 findings, 2 files in 1 layer", lines[4])
}

func TestVerifyRules(t *testing.T) {
	status, out, _ := run(t, nil, "verify", "--rules")
	require.Zero(t, status)
	for _, r := range verify.Rules() {
		require.Contains(t, out, "\n| "+r.Name+" | ")
		require.NotEmpty(t, r.Why, r.Name)
		require.NotEmpty(t, r.Fix, r.Name)
	}
}

func TestVerifyJUnit(t *testing.T) {
	dir := layoutOf(t, "amd64", "arm64")
	status, out, _ := run(t, nil, "verify", dir, filepath.Join(dir, "missing"), "--format", "junit", "--only", "world-writable,index",
		"--waive", "world-writable:/arm64=fine")
	require.Equal(t, statusUnread, status)
	var all junitSuites
	require.NoError(t, xml.Unmarshal([]byte(out), &all))
	require.Equal(t, []int{5, 1, 1}, []int{all.Tests, all.Failures, all.Errors})
	require.Len(t, all.Suites, 3)
	amd64 := all.Suites[0]
	require.Equal(t, dir+" linux/amd64", amd64.Name)
	require.Equal(t, "world-writable", amd64.Cases[0].Name)
	require.Contains(t, amd64.Cases[0].Failure.Text, "/amd64")
	require.Nil(t, amd64.Cases[1].Failure)
	require.Contains(t, all.Suites[1].Cases[0].Out, "(fine)")
	require.NotNil(t, all.Suites[2].Cases[0].Error)
}

func TestVerifySARIF(t *testing.T) {
	odd := "odd name%:#\x1b/ä"
	file := saved(t, worldWritable(t, "amd64", odd, "waived"))
	status, out, _ := run(t, nil, "verify", file, "--format", "sarif", "--only", "world-writable,base", "--waive", "world-writable:/waived=fine")
	require.Equal(t, 1, status)
	var log sarifLog
	require.NoError(t, json.Unmarshal([]byte(out), &log))
	require.Equal(t, "2.1.0", log.Version)
	require.True(t, log.Runs[0].Invocations[0].ExecutionSuccessful)
	uris := map[string]string{}
	prints := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		require.Equal(t, r.RuleID, log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID)
		require.Equal(t, "error", r.Level)
		uris[r.Locations[0].Physical.Artifact.URI] = r.RuleID
		prints[r.Fingerprints["lucidbaseFinding/v1"]] = true
		require.Equal(t, r.Locations[0].Physical.Artifact.URI == "waived", len(r.Suppressions) == 1)
	}
	require.Equal(t, map[string]string{
		"./odd%20name%25:%23%1B/%C3%A4": "world-writable", "waived": "world-writable", "./config:Labels": "base",
	}, uris)
	require.Len(t, prints, 3)
}

// With --as an image is held to the locks of this library's own.
func TestVerifyAs(t *testing.T) {
	report, status := verifyJSON(t, "--as", "python", "--only", "packages,layers,base,distributions", layoutOf(t, "arm64"))
	require.Equal(t, 1, status)
	rules := map[string]int{}
	for _, f := range report.Images[0].Findings {
		rules[f.Rule]++
		require.True(t, strings.Contains(f.Found, "the lock says") || f.Path == "config:Labels", f.Found)
	}
	require.Greater(t, rules["packages"], 10)
	require.Greater(t, rules["distributions"], 10)
	require.Equal(t, 1, rules["layers"])
	require.Equal(t, 2, rules["base"])

	status, _, errOut := run(t, nil, "verify", "--as", "python", layoutOf(t, "riscv64"))
	require.Equal(t, statusUnread, status)
	require.Contains(t, errOut, "riscv64")
}
