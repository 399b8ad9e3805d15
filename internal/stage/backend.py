"""Call the build backend of a source distribution (PEP 517), and read what it says."""

import json
import subprocess
import tomllib

# What runs inside the build's environment. The defaults are PEP 517's.
HOOK = """
import importlib, json, os, sys, tomllib
hook, arguments, settings, out = json.loads(sys.argv[1])
system = {}
if os.path.exists("pyproject.toml"):
    with open("pyproject.toml", "rb") as f:
        system = tomllib.load(f).get("build-system", {})
backend = system.get("build-backend", "setuptools.build_meta:__legacy__")
sys.path[:0] = [os.path.abspath(p) for p in system.get("backend-path", [])] or ([""] if backend.endswith(":__legacy__") else [])
name, _, attributes = backend.partition(":")
found = importlib.import_module(name)
for attribute in filter(None, attributes.split(".")):
    found = getattr(found, attribute)
call = getattr(found, hook, None)
result = call(*arguments, settings.get(name, {})) if call else []
with open(out, "w") as f:
    json.dump(result, f)
"""


def build_system(source):
    """Return the table build-system of a source, with PEP 517's defaults."""
    file = source / "pyproject.toml"
    system = tomllib.loads(file.read_text("utf-8")).get("build-system", {}) if file.exists() else {}
    return {"requires": ["setuptools >= 40.8.0", "wheel"], "build-backend": "setuptools.build_meta:__legacy__", **system}


def hook(python, name, arguments, out, settings=None):
    """Return the command that calls a hook in the work directory and writes its result to out.

    settings are those of each backend, by its module.
    """
    return [str(python), "-c", HOOK, json.dumps([name, arguments, settings or {}, str(out)])]


def shell_tools(directory):
    """Lay out what a source's build may call besides a compiler: a Unix's small tools and make.

    It has /bin/sh, too, by which make and ninja run everything.
    """
    directory.mkdir()
    busybox = "/pip/usr/bin/busybox"
    for name in subprocess.run([busybox, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split():
        (directory / name).symlink_to(busybox)
    (directory / "make").symlink_to("/pip/usr/bin/make")
