package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// installed is a distribution with the script that an installer makes for it.
func installed(name, module, function string, files ...tarEntry) []tarEntry {
	return append(distribution("/opt/venv/lib/python3.11/site-packages", name, "1.0", files...),
		program("/opt/venv/bin/"+name, "#!/opt/venv/bin/python\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom "+module+" import "+function+"\nif __name__ == '__main__':\n    sys.exit("+function+"())\n"))
}

func servers() (all []tarEntry) {
	all = append(all, installed("uvicorn", "uvicorn.main", "main", file("uvicorn/__init__.py", ""), file("uvicorn/__main__.py", ""), file("uvicorn/main.py", "def main(): pass\n"))...)
	all = append(all, installed("gunicorn", "gunicorn.app.wsgiapp", "run", file("gunicorn/__init__.py", ""), file("gunicorn/app/__init__.py", ""), file("gunicorn/app/wsgiapp.py", ""))...)
	all = append(all, installed("hypercorn", "hypercorn.__main__", "main", file("hypercorn/__init__.py", ""), file("hypercorn/__main__.py", ""))...)
	all = append(all, installed("celery", "celery.__main__", "main", file("celery/__init__.py", ""), file("celery/__main__.py", ""))...)
	return append(all, installed("flask", "flask.cli", "main", file("flask/__init__.py", ""), file("flask/__main__.py", ""), file("flask/cli.py", ""))...)
}

// app are the files of an application with one module.
func app(source string) []tarEntry {
	return append(servers(), dir("/app/app"), file("/app/app/__init__.py", ""), file("/app/app/main.py", source), program("/usr/bin/tini", tinyELF(0x3e)))
}

func TestEntry(t *testing.T) {
	broken := []string{"config:Cmd"}
	const plain = "from fastapi import FastAPI\napp = FastAPI()\n"
	env := func(kv string, argv ...string) func(*v1.Config) {
		return func(c *v1.Config) { c.Env, c.Cmd = append(c.Env, kv), argv }
	}
	testRule(t, "entry", []breach{
		{name: "clean"},
		// Python itself
		{name: "a script that is missing", config: cmd("python", "-u", "src/main.py"), want: broken},
		{name: "a script that cannot be read", layers: one(file("/app/x.py", "x").WithMode(0o600)), config: cmd("python", "x.py"), want: broken},
		{name: "a directory", layers: one(file("/app/x/y.py", "")), config: cmd("python", "/app/x"), want: broken},
		{name: "a module that is missing", config: cmd("python", "-um", "src.main"), want: broken},
		{name: "a module that is missing in its package", layers: one(file("/app/src/__init__.py", "")), config: cmd("python", "-m", "src.main"), want: broken},
		{name: "a module that is missing in a namespace", layers: one(file("/app/src/other.py", "")), config: cmd("python", "-m", "src.main"), want: broken},
		{name: "a package that cannot be run", layers: one(file("/app/src/__init__.py", "")), config: cmd("python", "-m", "src"), want: broken},
		{name: "a distribution that is missing", layers: one(file("/app/src/main.py", "")), config: cmd("python", "-X", "dev", "-m", "uvicorn", "src.main:app"), want: broken},
		{name: "behind tini", layers: one(app(plain)...), config: cmd("tini", "-g", "--", "python", "-m", "app.gone"), want: broken},
		{name: "behind env", layers: one(append(app(plain), program("/usr/bin/env", tinyELF(0x3e)))...), config: cmd("env", "A=b", "python", "-m", "app.gone"), want: broken},
		{name: "isolated", layers: one(app(plain)...), config: cmd("python", "-I", "-m", "app.main"), want: broken},
		{name: "in the entrypoint", layers: one(app(plain)...), config: func(c *v1.Config) { c.Entrypoint, c.Cmd = []string{"python", "-m"}, []string{"app.gone"} }, want: []string{"config:Entrypoint"}},
		{name: "a name for a file", layers: one(app(plain)...), config: cmd("python", "-m", "app/main"), want: broken},
		// servers
		{name: "uvicorn, a module that is missing", layers: one(app(plain)...), config: cmd("uvicorn", "--host", "0.0.0.0", "app.gone:app"), want: broken},
		{name: "uvicorn, an attribute that is missing", layers: one(app("application = 1\n")...), config: cmd("uvicorn", "app.main:app", "--port", "80"), want: broken},
		{name: "python -m uvicorn", layers: one(app("application = 1\n")...), config: cmd("python", "-m", "uvicorn", "app.main:app"), want: broken},
		{name: "uvicorn, an old layout", layers: one(app(plain)...), config: cmd("uvicorn", "main:app"), want: broken},
		{name: "uvicorn, a factory", layers: one(app(plain)...), config: cmd("uvicorn", "--factory", "app.main:create"), want: broken},
		{name: "uvicorn, another directory", layers: one(app(plain)...), config: cmd("uvicorn", "--app-dir", "/srv", "app.gone:app"), want: broken},
		{name: "uvicorn by its path", layers: one(app(plain)...), config: cmd("python", "/opt/venv/bin/uvicorn", "app.gone:app"), want: broken},
		{name: "gunicorn, a module that is missing", layers: one(app(plain)...), config: cmd("gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-b", "0.0.0.0:80", "app.gone:app"), want: broken},
		{name: "gunicorn, no application", layers: one(app(plain)...), config: cmd("gunicorn", "app.main"), want: broken},
		{name: "gunicorn, a factory", layers: one(app(plain)...), config: cmd("gunicorn", "app.main:create(1)"), want: broken},
		{name: "gunicorn, plain settings", layers: one(append(app(plain), file("/app/gunicorn.conf.py", "workers = 2\n"))...), config: cmd("gunicorn", "-c", "gunicorn.conf.py", "app.gone:app"), want: broken},
		{name: "hypercorn", layers: one(app(plain)...), config: cmd("hypercorn", "--bind", "0.0.0.0:80", "asgi:app.main:api"), want: broken},
		{name: "celery -A", layers: one(app(plain)...), config: cmd("celery", "-A", "app.tasks", "worker", "-l", "info"), want: broken},
		{name: "celery --app", layers: one(app(plain)...), config: cmd("celery", "worker", "--app=tasks"), want: broken},
		{name: "python -m celery", layers: one(app("queue = 1\n")...), config: cmd("python", "-m", "celery", "-A", "app.main:celery", "beat"), want: broken},
		{name: "flask", layers: one(app(plain)...), config: cmd("flask", "--app", "app.gone", "run"), want: broken},
		{name: "flask, an attribute", layers: one(app(plain)...), config: cmd("flask", "--app", "app.main:site", "run", "-p", "80"), want: broken},
		// console scripts
		{name: "a script of a module that is missing", layers: one(installed("serve", "serve.cli", "main")...), config: cmd("serve"), want: broken},
		{name: "a script of a submodule that is missing", layers: one(installed("serve", "serve.cli", "main", file("serve/__init__.py", ""))...), config: cmd("serve"), want: broken},
		{name: "a script of a function that is missing", layers: one(append(installed("serve", "app.main", "main"), app("def run(): pass\n")...)...), config: env("PYTHONPATH=/app", "serve"), want: broken},

		// What is right, or cannot be seen.
		{name: "near: a directory", layers: one(file("/app/x/__main__.py", "")), config: cmd("python", "/app/x")},
		{name: "near: a package that can be run", layers: one(file("/app/src/__init__.py", ""), file("/app/src/__main__.py", "")), config: cmd("python", "-m", "src")},
		{name: "near: an extension module", layers: one(file("/app/src/__init__.py", ""), file("/app/src/main.cpython-311-x86_64-linux-gnu.so", "")), config: cmd("python", "-m", "src.main")},
		{name: "near: bytecode", layers: one(file("/app/src/__init__.py", ""), file("/app/src/main.pyc", "")), config: cmd("python", "-m", "src.main")},
		{name: "near: modules", layers: one(file("/app/src/main.py", "x")), config: cmd("python", "-m", "src.main")},
		{name: "near: an installed module", layers: one(file("/opt/venv/lib/python3.11/site-packages/tiny/__main__.py", "")), config: cmd("python", "-X", "dev", "-m", "tiny")},
		{name: "near: of the standard library", config: cmd("python", "-m", "http.server")},
		{name: "near: on PYTHONPATH", layers: one(file("/srv/src/main.py", "")), config: env("PYTHONPATH=/srv", "python", "-m", "src.main")},
		{name: "near: in an archive", layers: one(file("/srv/src.zip", "")), config: env("PYTHONPATH=/srv/src.zip", "python", "-m", "src.main")},
		{name: "near: by a .pth file", layers: one(file("/opt/venv/lib/python3.11/site-packages/x.pth", "/srv\n"), file("/srv/src/main.py", "")), config: cmd("python", "-m", "src.main")},
		{name: "near: an import hook", layers: one(file("/opt/venv/lib/python3.11/site-packages/__editable__.pth", "import __editable___finder\n")), config: cmd("python", "-m", "src.main")},
		{name: "near: code", config: cmd("python", "-c", "import os")},
		{name: "near: a script in a volume", config: func(c *v1.Config) {
			c.Volumes, c.Cmd = map[string]struct{}{"/code": {}}, []string{"python", "/code/x.py"}
		}},
		{name: "near: a module in a volume", config: func(c *v1.Config) {
			c.Volumes, c.Cmd = map[string]struct{}{"/app": {}}, []string{"python", "-m", "src"}
		}},
		{name: "near: not Python", layers: one(program("/usr/bin/x", tinyELF(0x3e))), config: cmd("x", "app.gone:app")},
		{name: "near: uvicorn", layers: one(app(plain)...), config: cmd("uvicorn", "app.main:app", "--host", "0.0.0.0")},
		{name: "near: uvicorn, options first", layers: one(app(plain)...), config: cmd("tini", "--", "python", "-u", "-m", "uvicorn", "--reload", "--header", "Server:x", "app.main:app")},
		{name: "near: uvicorn, another directory", layers: one(append(app(plain), file("/srv/x.py", "app = 1"))...), config: cmd("uvicorn", "--app-dir=/srv", "x:app")},
		{name: "near: uvicorn, an attribute of an attribute", layers: one(app(plain)...), config: cmd("uvicorn", "app.main:app.inner")},
		{name: "near: from everything", layers: one(app("from .base import *\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: by a function", layers: one(app("globals()['app'] = 1\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: of a module", layers: one(app("def __getattr__(name): return 1\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: declared global", layers: one(app("def make():\n    global app\n    app = 1\nmake()\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: under a condition", layers: one(app("try:\n    import a as app\nexcept ImportError:\n    app = None\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: several targets", layers: one(app("(app, x), y = make()\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: with", layers: one(app("with make() as app: pass\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: walrus", layers: one(app("print(app := 1)\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: match", layers: one(app("match make():\n    case [app]:\n        pass\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: for", layers: one(app("for x, app in y: pass\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: a class", layers: one(app("@decorated\nclass app: pass\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: async", layers: one(app("async def app(scope, receive, send): pass\n")...), config: cmd("uvicorn", "app.main:app")},
		{name: "near: a submodule", layers: one(append(app(plain), file("/app/app/sub.py", ""))...), config: cmd("uvicorn", "app:sub")},
		{name: "near: gunicorn, settings that move", layers: one(append(app(plain), file("/app/gunicorn.conf.py", "chdir = '/srv'\n"))...), config: cmd("gunicorn", "app.gone:app")},
		{name: "near: gunicorn, options of the environment", layers: one(app(plain)...), config: env("GUNICORN_CMD_ARGS=--chdir=/srv", "gunicorn", "x:app")},
		{name: "near: gunicorn, flags", layers: one(app(plain)...), config: cmd("gunicorn", "--preload", "-w", "4", "--bind=0.0.0.0:80", "app.main:app")},
		{name: "near: gunicorn, another directory", layers: one(append(app(plain), file("/srv/x.py", "application = 1"))...), config: cmd("gunicorn", "--chdir", "/srv", "x")},
		{name: "near: a module called wsgi", layers: one(append(servers(), file("/app/wsgi.py", plain))...), config: cmd("gunicorn", "wsgi:app")},
		{name: "near: a module called asgi", layers: one(append(servers(), file("/app/asgi.py", plain))...), config: cmd("uvicorn", "asgi:app")},
		{name: "near: hypercorn, a kind", layers: one(app(plain)...), config: cmd("hypercorn", "asgi:app.main:app")},
		{name: "near: hypercorn, the default", layers: one(app(plain)...), config: cmd("hypercorn", "app.main")},
		{name: "near: celery", layers: one(app(plain)...), config: cmd("celery", "-A", "app", "worker", "-c", "4", "-Q", "a,b")},
		{name: "near: celery, an attribute without a colon", layers: one(app(plain)...), config: cmd("celery", "-A", "app.main.app", "worker")},
		{name: "near: celery, the value joined", layers: one(app(plain)...), config: cmd("celery", "-Aapp.main", "worker")},
		{name: "near: flask", layers: one(app(plain)...), config: cmd("flask", "--app", "app.main:app", "--debug", "run")},
		{name: "near: flask, a file", layers: one(app(plain)...), config: cmd("flask", "--app", "app/main.py", "run")},
		{name: "near: flask, of itself", layers: one(app(plain)...), config: cmd("flask", "run")},
		{name: "near: a script of an installer", layers: one(installed("serve", "serve.cli", "main", file("serve/__init__.py", ""), file("serve/cli.py", ""))...), config: cmd("serve")},
		{name: "near: a script without a source", layers: one(program("/opt/venv/bin/serve", "#!/opt/venv/bin/python\n")), config: cmd("serve")},
		{name: "near: two interpreters", layers: one(file("/opt/venv/lib/python3.12/os.py", "")), config: cmd("python", "-m", "http.server")},
	})
}

// One fault is one finding: what the command names is not what the application imports.
func TestEntryOnce(t *testing.T) {
	for _, argv := range [][]string{{"python", "-m", "app.gone"}, {"uvicorn", "app.gone:app"}, {"python", "gone.py"}} {
		config := cleanConfig()
		config.Cmd = argv
		img := imageOf(t, config, cleanLayer(), app("app = 1\n"))
		require.Len(t, brokenBy(t, "entry", img), 1, argv)
		require.Empty(t, brokenBy(t, "import", img), argv)
		require.Empty(t, brokenBy(t, "command", img), argv)
	}
}
