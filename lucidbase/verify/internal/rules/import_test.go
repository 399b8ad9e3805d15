package rules_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

const site = "/opt/venv/lib/python3.11/site-packages"

// imports is an application whose module app.main is started.
func imports(source string, more ...tarEntry) [][]tarEntry {
	return one(append([]tarEntry{file("/app/app/__init__.py", ""), file("/app/app/main.py", source)}, more...)...)
}

// whole is a standard library that has what an interpreter cannot do without.
func whole() []tarEntry {
	return []tarEntry{file("/usr/lib/python3.11/encodings/__init__.py", ""), file("/usr/lib/python3.11/json/__init__.py", ""), file("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "")}
}

func TestImport(t *testing.T) {
	const main = "/app/app/main.py"
	module := cmd("python", "-m", "app.main")
	env := func(kv string) func(*v1.Config) {
		return func(c *v1.Config) { c.Env, c.Cmd = append(c.Env, kv), []string{"python", "-m", "app.main"} }
	}
	hooked := file(site+"/tiny/__init__.py", "import sys\nsys.modules['tiny.more'] = 1\n")
	for _, c := range []struct {
		name   string
		layers [][]tarEntry
		config func(*v1.Config)
		// want are what the findings begin with: nothing for what is right, or cannot
		// be seen.
		want []string
	}{
		{"a distribution", imports("import os\nimport yaml\n"), module, []string{main + ": line 2 imports yaml, which neither the standard library nor the application nor a distribution has; it is part of pyyaml"}},
		{"from a distribution", imports("from jose import jwt\n"), module, []string{main + ": line 1 imports jose, which neither the standard library nor the application nor a distribution has; it is part of python-jose"}},
		{"of a namespace", imports("from google.cloud import storage\n", file(site+"/google/protobuf/__init__.py", "")), module, []string{main + ": line 1 imports google.cloud, which neither the standard library nor the application nor a distribution has; it is part of google-cloud-storage"}},
		{"a longer name", imports("import google.cloud.storage\n", file(site+"/google/protobuf/__init__.py", "")), module, []string{main + ": line 1 imports google.cloud.storage, which neither the standard library nor the application nor a distribution has; it is part of google-cloud-storage"}},
		{"a second module of a distribution", imports("from bson import ObjectId\n"), module, []string{main + ": line 1 imports bson, which neither the standard library nor the application nor a distribution has; it is part of pymongo"}},
		{"a name with a hyphen", imports("import aio_pika\n"), module, []string{main + ": line 1 imports aio_pika, which neither the standard library nor the application nor a distribution has; it is part of aio-pika"}},
		{"nobody knows", imports("import strange\n"), module, []string{main + ": line 1 imports strange, which neither the standard library nor the application nor a distribution has"}},
		{"several", imports("import tiny, yaml as y, jwt.api\n"), module, []string{main + ": line 1 imports jwt", main + ": line 1 imports yaml"}},
		{"over several lines", imports("from yaml import (\n  load, # the one\n\n  dump,\n)\nfrom \\\n  cv2 import x\n"), module, []string{main + ": line 1 imports yaml", main + ": line 6 imports cv2"}},
		{"behind a semicolon", imports("x = 1; import yaml\n"), module, []string{main + ": line 1 imports yaml"}},
		{"behind strings", imports("'''\nimport no\n'''\nf'{x['y']}'\nr'\\'\nimport yaml\n"), module, nil},
		{"behind an f-string", imports("'''\nimport no\n'''\nx = f'{d[\"y\"]!r:>{w}}' rb'\\''\nimport yaml\n"), module, []string{main + ": line 5 imports yaml"}},
		{"of Windows", imports("\ufeff# coding: utf-8\r\nimport os\r\nimport yaml\r\n"), module, []string{main + ": line 3 imports yaml"}},
		{"behind a condition", imports("if True:\n    import os\n\f\nimport yaml\n"), module, []string{main + ": line 4 imports yaml"}},
		{"no Python", imports("from . import old\nimport app.other\n", file("/app/app/old.py", "print 'x'\n"), file("/app/app/__pycache__/old.error", "line 1: Missing parentheses"), file("/app/app/unused.py", "print 'x'\n"), file("/app/app/__pycache__/unused.error", "line 1: no"), file("/app/app/other.py", "import yaml\n")), module, []string{main[:9] + "old.py: line 1: Missing parentheses", "/app/app/other.py: line 1 imports yaml"}},
		{"no Python that may be missing", imports("try:\n    from . import old\nexcept SyntaxError:\n    pass\n", file("/app/app/old.py", "print 'x'\n"), file("/app/app/__pycache__/old.error", "line 1: no")), module, nil},
		{"no Python at all", imports("print 'x'\n", file("/app/app/__pycache__/main.error", "line 1: no")), module, []string{main + ": line 1: no"}},
		{"a script that is no Python", one(file("/app/run.py", "x = (\n"), file("/app/__pycache__/run.error", "line 1: '(' was never closed")), cmd("python", "/app/run.py"), []string{"/app/run.py: line 1: '(' was never closed"}},
		{"reached", imports("from . import routes\n", file("/app/app/routes.py", "import yaml\n")), module, []string{"/app/app/routes.py: line 1 imports yaml"}},
		{"reached from the package", one(file("/app/app/__init__.py", "from .routes import x\n"), file("/app/app/routes.py", "import yaml\nx = 1\n"), file(main, "")), module, []string{"/app/app/routes.py: line 1 imports yaml"}},
		{"reached by a function that is called", imports("def create():\n    from .routes import x\n    return x\napp = create()\n", file("/app/app/routes.py", "import yaml\nx = 1\n")), module, []string{"/app/app/routes.py: line 1 imports yaml"}},
		{"reached by a function of another module", imports("from .factory import create\ncreate()\n", file("/app/app/factory.py", "def create():\n    import app.routes\n"), file("/app/app/routes.py", "import yaml\n")), module, []string{"/app/app/routes.py: line 1 imports yaml"}},
		{"a module of the application", imports("import app.gone\n"), module, []string{main + ": line 1 imports app.gone, and there is no module gone in app"}},
		{"a relative module", imports("from .gone import x\n"), module, []string{main + ": line 1 imports app.gone, and there is no module gone in app"}},
		{"a directory that was not copied", imports("from common.log import x\n"), module, []string{main + ": line 1 imports common.log, which neither"}},
		{"a name of a package", imports("from app import routes\n"), module, []string{main + ": line 1 imports routes from app: /app/app/__init__.py does not define it, and there is no such module"}},
		{"a name of a module", imports("from .config import Settings\n", file("/app/app/config.py", "class Setting: pass\n")), module, []string{main + ": line 1 imports Settings from app.config: /app/app/config.py does not define it"}},
		{"a name of a namespace", imports("from lib import gone\n", file("/app/lib/there.py", "")), module, []string{main + ": line 1 imports gone from lib"}},
		{"below a module", imports("import app.config.x\n", file("/app/app/config.py", "")), module, []string{main + ": line 1 imports app.config.x, and /app/app/config.py is no package"}},
		{"below a distribution's package", imports("import tiny.more\n"), module, []string{main + ": line 1 imports tiny.more, and there is no module more in tiny"}},
		{"of the standard library", imports("import json\nimport tkinter\n", whole()...), module, []string{main + ": line 2 imports tkinter, which the image's standard library lacks"}},
		{"a script's directory is first", one(file("/app/x/run.py", "import helper\nimport app\n"), file("/app/x/helper.py", ""), file("/app/app.py", "")), cmd("python", "/app/x/run.py"), []string{"/app/x/run.py: line 2 imports app"}},
		{"relative in a script", one(file("/app/x/__init__.py", ""), file("/app/x/run.py", "from .helper import y\n"), file("/app/x/helper.py", "")), cmd("python", "/app/x/run.py"), []string{"/app/x/run.py: line 1 imports from .helper, relative to a package"}},
		{"relative beyond the package", imports("from ..x import y\n"), module, []string{main + ": line 1 imports from ..x, relative to a package"}},
		{"code", imports(""), cmd("python", "-c", "import app.main\nfrom app.gone import main; main()"), []string{"config:Cmd: line 2 imports app.gone"}},
		{"a server's application", one(app("import yaml\napp = 1\n")...), cmd("uvicorn", "app.main:app"), []string{main + ": line 1 imports yaml"}},
		{"a factory", one(append(app("def create():\n    from .routes import x\n"), file("/app/app/routes.py", "import yaml\nx = 1\n"))...), cmd("gunicorn", "app.main:create()"), []string{"/app/app/routes.py: line 1 imports yaml"}},
		{"a worker", one(app("import yaml\n")...), cmd("celery", "-A", "app.main", "worker"), []string{main + ": line 1 imports yaml"}},
		{"installed elsewhere", imports("import redis\n", file("/root/lib/python3.11/site-packages/redis/__init__.py", "")), module, []string{main + ": line 1 imports redis"}},
		{"before sys.path is changed", imports("import yaml\nimport sys\nsys.path.insert(0, '/srv')\nimport cv2\n"), module, []string{main + ": line 1 imports yaml"}},
		{"sys.path is looked into", imports("import sys\nprint('/srv' in sys.path)\nimport yaml\n"), module, []string{main + ": line 3 imports yaml"}},
		{"on PYTHONPATH", imports("import common\n", file("/srv/common/__init__.py", "import yaml\n")), env("PYTHONPATH=/srv"), []string{"/srv/common/__init__.py: line 1 imports yaml"}},
		{"a package's main", one(file("/app/app/__init__.py", ""), file("/app/app/__main__.py", "import yaml\n")), cmd("python", "-m", "app"), []string{"/app/app/__main__.py: line 1 imports yaml"}},
		{"a package of the application that hides a distribution", imports("import redis.client\n", file("/app/redis/__init__.py", ""), file(site+"/redis/__init__.py", ""), file(site+"/redis/client.py", "")), module, []string{main + ": line 1 imports redis.client"}},
		{"decorated, async and a walrus before", imports("@x(a := 1)\nasync def f():\n    import no\nimport yaml\n"), module, []string{main + ": line 4 imports yaml"}},
		{"match before", imports("match = 1\nmatch x:\n    case 1:\n        import no\nimport yaml\n"), module, []string{main + ": line 5 imports yaml"}},

		{"near: try", imports("try:\n    import yaml\nexcept ImportError:\n    yaml = None\n"), module, nil},
		{"near: try, one line", imports("try: import yaml\nexcept ImportError: yaml = None\n"), module, nil},
		{"near: if", imports("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n"), module, nil},
		{"near: reached under a condition", imports("import os\nif os.environ.get('X'):\n    from . import x\n", file("/app/app/x.py", "import yaml\n")), module, nil},
		{"near: reached in a try", imports("try:\n    from . import x\nexcept ImportError:\n    x = None\n", file("/app/app/x.py", "import yaml\n")), module, nil},
		{"near: a function", imports("def f():\n    import yaml\nclass C:\n    import cv2\n    def g(self): import jwt\n"), module, nil},
		{"near: a function that is called", imports("def f():\n    import yaml\nf()\n"), module, nil},
		{"near: a function that was left", imports("def f():\n    if x: return\n    from . import y\nf()\n", file("/app/app/y.py", "import yaml\n")), module, nil},
		{"near: main", imports("if __name__ == '__main__':\n    import yaml\n"), module, nil},
		{"near: with", imports("import contextlib\nwith contextlib.suppress(ImportError):\n    import yaml\n"), module, nil},
		{"near: nothing reaches it", imports("", file("/app/tests/test_x.py", "import pytest\n"), file("/app/setup.py", "import setuptools\n")), module, nil},
		{"near: dynamic", imports("import importlib\nimportlib.import_module('yaml')\n__import__('cv2')\n"), module, nil},
		{"near: there", imports("import tiny\nfrom tiny import anything\nfrom . import other\nfrom .other import x as y, z\n", file("/app/app/other.py", "x = z = 1\n")), module, nil},
		{"near: __future__", imports("from __future__ import annotations\nimport sys, __main__, _thread, os.path, collections.abc\n"), module, nil},
		{"near: inside the interpreter", imports("import math, _socket, zlib, time\n", whole()...), module, nil},
		{"near: an extension module", imports("import fast\nfrom app import _speed\n", file(site+"/fast.abi3.so", ""), file("/app/app/_speed.cpython-311-aarch64-linux-gnu.so", "")), module, nil},
		{"near: bytecode", imports("import app.old\nfrom app.old import x\n", file("/app/app/old.pyc", "")), module, nil},
		{"near: a namespace of two", imports("import lib.a, lib.b\nfrom lib import a, b\n", file("/app/lib/a.py", ""), file("/srv/lib/b.py", "")), env("PYTHONPATH=/srv"), nil},
		{"near: a directory beside a distribution", imports("import redis.client\n", dir("/app/redis"), file(site+"/redis/__init__.py", ""), file(site+"/redis/client.py", "")), module, nil},
		{"near: a .pth file", imports("import editable\n", file(site+"/e.pth", "/srv/src\n"), file("/srv/src/editable.py", "")), module, nil},
		{"near: an import hook", imports("import editable\n", file(site+"/e.pth", "import e_finder\n")), module, nil},
		{"near: an archive", imports("import zipped\n", file("/srv/x.zip", "")), env("PYTHONPATH=/srv/x.zip"), nil},
		{"near: a volume", imports("import mounted\n"), func(c *v1.Config) {
			c.Volumes, c.Cmd = map[string]struct{}{"/app": {}}, []string{"python", "-m", "app.main"}
		}, nil},
		{"near: a link", imports("import shared\n", file("/srv/shared.py", ""), link("/app/shared.py", "/srv/shared.py")), module, nil},
		{"near: a link to a package", imports("import shared.x\n", file("/srv/shared/__init__.py", ""), file("/srv/shared/x.py", ""), link("/app/shared", "../srv/shared")), module, nil},
		{"near: behind a change of sys.path", imports("import sys\nsys.path.append('/srv')\nimport yaml\n"), module, nil},
		{"near: behind one of another name", imports("import sys as system\nsystem.path[:0] = ['/srv']\nimport yaml\n"), module, nil},
		{"near: behind one in a module", imports("from . import paths\nimport yaml\n", file("/app/app/paths.py", "import site\nsite.addsitedir('/srv')\n")), module, nil},
		{"near: reached behind one", imports("import sys\nsys.path += ['/srv']\nfrom . import x\n", file("/app/app/x.py", "import yaml\n")), module, nil},
		{"near: a stand-in", imports("import sys\nsys.modules['yaml'] = object()\nimport yaml\n"), module, nil},
		{"near: MySQLdb", imports("import tiny\ntiny.install_as_MySQLdb()\nimport MySQLdb\n"), module, nil},
		{"near: made by a distribution", imports("import tiny.more.x\n", hooked), module, nil},
		{"near: an attribute", imports("from app import routes, version\n", file("/app/app/other.py", "")), module, []string{main + ": line 1 imports routes", main + ": line 1 imports version"}},
		{"near: attributes of the package", one(file("/app/app/__init__.py", "from .x import *\n"), file("/app/app/x.py", ""), file(main, "from app import routes\n")), module, nil},
		{"near: by __getattr__", one(file("/app/app/__init__.py", "def __getattr__(name): ...\n"), file(main, "from app import routes\n")), module, nil},
		{"near: set from outside", imports("from . import config\nconfig.DEBUG = 1\nfrom .config import DEBUG\n", file("/app/app/config.py", "")), module, nil},
		{"near: special names", imports("from . import __version__, __path__\n"), module, nil},
		{"near: a package's path", one(file("/app/app/__init__.py", "__path__ = ['/srv']\n"), file(main, "import app.gone\n")), module, nil},
		{"near: not accepted by Python", imports("import yaml\nx = (\n"), module, nil},
		{"near: another encoding", imports("# -*- coding: big5 -*-\nimport yaml\n"), module, nil},
		{"near: too large", imports("import yaml\n#" + strings.Repeat("x", 1<<20)), module, nil},
		{"near: a distribution's own module", one(append(distribution(site, "own", "1.0", file("own/__init__.py", "import yaml\n")), file(main, "import own\n"))...), module, nil},
		{"near: a distribution on PYTHONPATH", one(append(distribution("/deps", "own", "1.0", file("own/__init__.py", "import yaml\n")), file(main, "import own\n"))...), env("PYTHONPATH=/deps"), nil},
		{"near: it hides the standard library", imports("from secrets import token\nimport types\n", file("/app/secrets.py", "import yaml\n"), file("/app/types.py", "")), module, nil},
		{"near: a server's own directory", one(append(app("import helper\napp = 1\n"), file("/srv/helper.py", ""), file("/srv/site.py", ""))...), cmd("uvicorn", "--app-dir", "/srv", "x:app"), nil},
		{"near: distutils", imports("import distutils.core\n", append(whole(), file(site+"/distutils-precedence.pth", "import os; x = 1\n"))...), module, nil},
		{"near: sitecustomize", imports("import yaml\n", file(site+"/sitecustomize.py", "")), module, nil},
		{"near: PYTHONHOME", imports("import yaml\n"), env("PYTHONHOME=/srv"), nil},
		{"near: another interpreter", imports("import yaml\n", program("/usr/local/bin/pypy3", tinyELF(0x3e))), cmd("/usr/local/bin/pypy3", "-m", "app.main"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := cleanConfig()
			c.config(&config)
			startsWith(t, c.want, brokenBy(t, "import", imageOf(t, config, append([][]tarEntry{cleanLayer()}, c.layers...)...)))
		})
	}
}

// The fix names the distribution.
func TestImportFix(t *testing.T) {
	config := cleanConfig()
	config.Cmd = []string{"python", "-m", "app.main"}
	for module, fix := range map[string]string{
		"yaml": "add pyyaml to", "dateutil.parser": "add python-dateutil to", "google.protobuf.message": "add protobuf to", "google.cloud.pubsub_v1": "add google-cloud-pubsub-v1 to",
		"bs4": "add beautifulsoup4 to", "redis.asyncio": "add redis to", "sklearn.svm": "add scikit-learn to", "unheard_of": "copy the module into the image, or",
	} {
		img := imageOf(t, config, cleanLayer(), imports("import " + module + "\n")[0])
		found := findings(t, img, verify.Contract{Only: []string{"import"}})
		require.Len(t, found, 1)
		require.Contains(t, found[0].Fix, fix, module)
	}
}

// Of what many modules lack alike, several are said.
func TestImportMany(t *testing.T) {
	var source strings.Builder
	var more []tarEntry
	for i := range 30 {
		fmt.Fprintf(&source, "from . import m%d\n", i)
		more = append(more, file(fmt.Sprintf("/app/app/m%d.py", i), "import yaml\n"))
	}
	config := cleanConfig()
	config.Cmd = []string{"python", "-m", "app.main"}
	require.Len(t, brokenBy(t, "import", imageOf(t, config, cleanLayer(), imports(source.String(), more...)[0])), 10)
}

// What a hostile image has many of is not followed to its end: imports of names that are nowhere, on a
// long path, from modules that import each other.
func TestImportBounded(t *testing.T) {
	var app []tarEntry
	for i := range 3000 {
		source := fmt.Sprintf("from . import m%d\n", i+1)
		for j := range 60 {
			source += fmt.Sprintf("import gone%d_%d\n", i, j)
		}
		app = append(app, file(fmt.Sprintf("/app/app/m%d.py", i), source))
	}
	config := cleanConfig()
	path := "PYTHONPATH=/app"
	for i := range 120 {
		app = append(app, dir(fmt.Sprintf("/d%d", i)))
		path += fmt.Sprintf(":/d%d", i)
	}
	config.Env, config.Cmd = append(config.Env, path), []string{"python", "-m", "app.m0"}
	img := imageOf(t, config, cleanLayer(), app)
	require.Empty(t, brokenBy(t, "import", img), "more than is followed: of what is missing nothing is said")
	config.Cmd = []string{"python", "-m", "app" + strings.Repeat(".x", 1<<16)}
	require.Empty(t, brokenBy(t, "entry", imageOf(t, config, cleanLayer(), app)))
}
