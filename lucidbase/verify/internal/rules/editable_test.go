package rules_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestEditable(t *testing.T) {
	const setuptools = `import sys
MAPPING: dict[str, str] = {'tiny': '/src/tiny/tiny', 'tool': '/src/tiny/tool'}
NAMESPACES: dict[str, list[str]] = {}
PATH_PLACEHOLDER = '__editable__.tiny-1.0.finder' + ".__path_hook__"
def install(): pass
`
	direct := func(body string) tarEntry { return file(sitePath+"e-1.0.dist-info/direct_url.json", body) }
	inPlace := direct(`{"dir_info": {"editable": true}, "url": "file:///src/tiny"}`)
	pth := func(name, body string) tarEntry { return file(sitePath+name, body) }
	testRule(t, "editable", []breach{
		{name: "a path", layers: one(pth("__editable__.tiny-1.0.pth", "/src/tiny/src\n")), want: []string{sitePath + "__editable__.tiny-1.0.pth"}},
		{name: "a path, line ends of Windows", layers: one(pth("tiny.pth", "/src/tiny\r\n")), want: []string{sitePath + "tiny.pth"}},
		{name: "a relative path", layers: one(pth("tiny.pth", "../../../../src\n")), want: []string{sitePath + "tiny.pth"}},
		{name: "a path of Windows", layers: one(pth("tiny.pth", "C:\\src\\tiny\n")), want: []string{sitePath + "tiny.pth"}},
		{name: "a temporary path", layers: one(pth("tiny.pth", "/tmp/build/src\n")), want: []string{sitePath + "tiny.pth"}},
		{name: "a deleted one", layers: [][]tarEntry{{dir("/src"), pth("tiny.pth", "/src\n")}, {whiteout("/src")}}, want: []string{sitePath + "tiny.pth"}},
		{name: "a finder", layers: one(pth("__editable___tiny_1_0_finder.py", setuptools)), want: []string{sitePath + "__editable___tiny_1_0_finder.py"}},
		{name: "hatchling's finder", layers: one(pth("_editable_impl_tiny.py", "from editables.redirector import RedirectingFinder as F\nF.install()\nF.map_module('tiny', '/src/tiny/__init__.py')\n")), want: []string{sitePath + "_editable_impl_tiny.py"}},
		{name: "scikit-build-core's finder", layers: one(pth("_tiny_editable_x.py", "def install(): pass\ninstall({'tiny': '/src/tiny/__init__.py'}, {}, None, False, True, [], [], '')\n")), want: []string{sitePath + "_tiny_editable_x.py"}},
		{name: "a finder that is gone", layers: one(pth("__editable__.tiny-1.0.pth", "import __editable___tiny_1_0_finder; __editable___tiny_1_0_finder.install()\n")), want: []string{sitePath + "__editable__.tiny-1.0.pth"}},
		{name: "an import of what is not installed", layers: one(pth("cov.pth", "import coverage; coverage.process_startup()\n")), want: []string{sitePath + "cov.pth"}},
		{name: "an egg-link", layers: one(pth("tiny.egg-link", "/src/tiny\n.")), want: []string{sitePath + "tiny.egg-link"}},
		{name: "an egg-link with its path", layers: one(pth("tiny.egg-link", "/src/tiny\n."), pth("easy-install.pth", "/src/tiny\n/src/other\n")), want: []string{sitePath + "easy-install.pth"}},
		{name: "PEP 610", layers: one(inPlace), want: []string{sitePath + "e-1.0.dist-info/direct_url.json"}},
		{name: "all of one install", layers: one(inPlace, pth("__editable___tiny_1_0_finder.py", setuptools), pth("__editable__.tiny-1.0.pth", "import __editable___tiny_1_0_finder\n")), want: []string{sitePath + "__editable___tiny_1_0_finder.py"}},

		{name: "near: there", layers: one(pth("tiny.pth", "# a comment\n\n/src/tiny\n./more\n"), dir("/src/tiny"), dir(sitePath+"more"), file(sitePath+"zipped.egg", "x"), pth("z.pth", "zipped.egg\n"))},
		{name: "near: a finder to what is there", layers: one(pth("__editable___tiny_1_0_finder.py", setuptools), file("/src/tiny/tiny/__init__.py", ""), file("/src/tiny/tool.py", ""))},
		{name: "near: a volume", layers: one(pth("tiny.pth", "/data/src\n")), config: func(c *v1.Config) { c.Volumes = map[string]struct{}{"/data": {}} }},
		{name: "near: imports", layers: one(pth("a.pth", "import tiny\n"), pth("_virtualenv.pth", "import _virtualenv\n"), pth("_virtualenv.py", ""), pth("d.pth", "import os; var = 'X'; enabled and __import__('_distutils_hack')\n"), pth("s.pth", "import sys, types; sys\n"), file("/usr/lib/python3.11/types.py", ""))},
		{name: "near: installed from a directory, not in place", layers: one(direct(`{"dir_info": {}, "url": "file:///src/tiny"}`))},
		{name: "near: installed from an archive", layers: one(direct(`{"archive_info": {}, "url": "https://example.com/x.whl"}`))},
		{name: "near: deleted", layers: [][]tarEntry{{pth("tiny.pth", "/src\n")}, {whiteout(sitePath + "tiny.pth")}}},
		{name: "near: not in a directory of modules", layers: one(file("/srv/weights.pth", "/src/tiny\n"), file(sitePath+"torch/model.pth", "/src\n"))},
		{name: "near: RECORD has it", layers: one(edited("e", func(s string) string { return s + "__editable___e_finder.py,,\n" }, file("__editable__.e.pth", "import __editable___e_finder\n"))...)},
	})
	all := findings(t, imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{pth("x.pth", strings.Repeat("/gone/a\n", 3)+"/gone/b\n")}), verify.Contract{Only: []string{"editable"}})
	require.Len(t, all, 1)
	require.Contains(t, all[0].Found, "/gone/a, /gone/b, not in the image")
}
