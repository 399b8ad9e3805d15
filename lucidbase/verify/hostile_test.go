package verify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// A hostile image can have many of what a real one has few of: no rule may look at
// all of them for each of them.
func TestBoundedTime(t *testing.T) {
	const many = 1500
	plain := func(format string, i int) File {
		return File{Path: fmt.Sprintf(format, i), Kind: Regular, Mode: 0o755, Size: 1, SHA256: "x"}
	}
	var dirs []string
	facts := Facts{}
	for i := range many {
		dirs = append(dirs, fmt.Sprintf("/d%d", i))
		cfg, dist, script, lib := plain("/v%d/pyvenv.cfg", i), plain("/deps/d%d-1.dist-info/METADATA", i), plain("/s/%d", i), plain("/lib/ld-linux%d.so", i)
		cfg.Text = "home = /big\n"
		dist.Distribution = &Distribution{Name: fmt.Sprint("d", i), Version: "1", Requires: []string{"gone; python_version > '3'"}}
		script.Shebang = fmt.Sprint("/usr/bin/env x", i)
		lib.ELF = &ELF{Type: "dyn", Machine: "amd64", Needed: []string{fmt.Sprint("gone", i)}}
		facts.Files = append(facts.Files, cfg, dist, script, lib, plain("/big/python3.%d", i), File{Path: fmt.Sprintf("/d%d", i), Kind: Directory, Mode: 0o755},
			File{Path: fmt.Sprintf("/v%d/bin", i), Kind: Symlink, Link: "/big"}, File{Path: fmt.Sprintf("/v%d/lib/python3.11/site-packages", i), Kind: Directory, Mode: 0o755})
	}
	list := strings.Join(dirs, ":")
	config := &v1.ConfigFile{Architecture: "amd64", OS: "linux"}
	config.Config.Env = []string{"PATH=" + list, "LD_LIBRARY_PATH=" + list, "PYTHONPATH=/deps:" + list}
	start := time.Now()
	found := Check(config, []Facts{facts}, Contract{})
	require.Less(t, time.Since(start), time.Minute)
	require.True(t, strings.Contains(fmt.Sprint(found), "not all were judged"))
}

// An interpreter's name does not make a file one.
func TestPythonIsNoProgram(t *testing.T) {
	script := program("/opt/py/bin/python3.11", "#!/usr/bin/python3.11\n")
	img := imageOf(t, cleanConfig(), cleanLayer(), append(glibcLayer(library(sitePath+"a.so", elfSpec{needed: []string{"libz.so.1"}})), script))
	require.Equal(t, []string{sitePath + "a.so: needs libz.so.1, which is not in the image"}, brokenBy(t, "elf-needed", img))
	require.Empty(t, brokenBy(t, "elf-libc", img))
}

func TestDepth(t *testing.T) {
	_, err := Scan(t.Context(), layerOf(t, file(strings.Repeat("d/", 300)+"f", "x")))
	require.ErrorContains(t, err, "more than 256 directories deep")
	_, err = Scan(t.Context(), layerOf(t, file(strings.Repeat("d/", 200)+"f", "x")))
	require.NoError(t, err)
}
