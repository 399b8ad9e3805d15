package rules_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// A hostile image can have many of what a real one has few of: no rule may look at
// all of them for each of them.
func TestBounded(t *testing.T) {
	const many = 500
	plain := func(format string, i int) scan.File {
		return scan.File{Path: fmt.Sprintf(format, i), Kind: scan.Regular, Mode: 0o755, Size: 1, SHA256: "x"}
	}
	var dirs []string
	facts := scan.Facts{}
	for i := range many {
		dirs = append(dirs, fmt.Sprintf("/d%d", i))
		cfg, dist, script, lib := plain("/v%d/pyvenv.cfg", i), plain("/deps/d%d-1.dist-info/METADATA", i), plain("/s/%d", i), plain("/lib/ld-linux%d.so", i)
		cfg.Text = "home = /big\n"
		dist.Distribution = &python.Distribution{Name: fmt.Sprint("d", i), Version: "1", Requires: []string{"gone; python_version > '3'"}}
		script.Shebang = fmt.Sprint("/usr/bin/env x", i)
		lib.ELF = &elf.File{Type: "dyn", Machine: "amd64", Needed: []string{fmt.Sprint("gone", i)}}
		facts.Files = append(facts.Files, cfg, dist, script, lib, plain("/big/python3.%d", i), scan.File{Path: fmt.Sprintf("/d%d", i), Kind: scan.Directory, Mode: 0o755},
			scan.File{Path: fmt.Sprintf("/v%d/bin", i), Kind: scan.Symlink, Link: "/big"}, scan.File{Path: fmt.Sprintf("/v%d/lib/python3.11/site-packages", i), Kind: scan.Directory, Mode: 0o755})
	}
	list := strings.Join(dirs, ":")
	config := &v1.ConfigFile{Architecture: "amd64", OS: "linux"}
	config.Config.Env = []string{"PATH=" + list, "LD_LIBRARY_PATH=" + list, "PYTHONPATH=/deps:" + list}
	found := verify.Check(config, []scan.Facts{facts}, verify.Contract{})
	require.True(t, strings.Contains(fmt.Sprint(found), "not all were judged"))
}

// An interpreter's name does not make a file one.
func TestPythonIsNoProgram(t *testing.T) {
	script := program("/opt/py/bin/python3.11", "#!/usr/bin/python3.11\n")
	img := imageOf(t, cleanConfig(), cleanLayer(), append(glibcLayer(library(sitePath+"a.so", elfSpec{Needed: []string{"libz.so.1"}})), script))
	require.Equal(t, []string{sitePath + "a.so: needs libz.so.1, which is not in the image"}, brokenBy(t, "elf-needed", img))
	require.Empty(t, brokenBy(t, "elf-libc", img))
}
