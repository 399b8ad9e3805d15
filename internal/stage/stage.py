"""What a build stage runs: standard library and uv only, no shell.

Everything that a stage leaves behind is the same bytes every time: hash-based
bytecode, fixed modes and times, no file that says when it was made, or by whom.
"""

import compileall
import json
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
from functools import partial
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

sys.path.insert(0, "/lucid")

import installed  # noqa: E402

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
IMAGE_CA = "/etc/ssl/certs/ca-certificates.crt"
# Each image has a Python of the same version: see check_magic.
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = f"lib/{PYTHON}/site-packages"


def settle(root):
    """Fix modes and times of what changed below root, and of nothing else.

    Entries of lower layers have the fixed time already; to touch one would copy
    it into this layer.
    """
    for directory, names, files in os.walk(root, topdown=False):
        for path in [os.path.join(directory, name) for name in names + files]:
            settle_one(path)
    settle_one(root)


def is_new(path):
    """Report whether this step has written a path: what lower layers have has the fixed time."""
    return os.lstat(path).st_mtime_ns != EPOCH * 10**9


def settle_one(path):
    if not is_new(path):
        return
    info = os.lstat(path)
    if not stat.S_ISLNK(info.st_mode):
        executable = stat.S_ISDIR(info.st_mode) or info.st_mode & 0o111
        os.chmod(path, 0o755 if executable else 0o644)
    os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def compile_tree(tree, strip=None):
    """Compile the modules below tree that have no bytecode yet."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (most steps compile nothing)
    sources = [str(path) for path in sorted(Path(tree).rglob("*.py")) if not os.path.exists(cache_from_source(path))]
    compile_one = partial(
        compileall.compile_file,
        quiet=2,
        stripdir=strip,
        prependdir="/" if strip else None,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    with ProcessPoolExecutor() as pool:
        list(pool.map(compile_one, sources, chunksize=16))


def trust():
    """Return the bundle to verify servers with: the image's own and the user's."""
    bundle = Path("/tmp/ca.pem")
    sources = [Path(IMAGE_CA), Path(os.environ["LUCID_CA"])]
    bundle.write_bytes(b"\n".join(p.read_bytes() for p in sources if p.exists()))
    if os.path.exists(os.environ["LUCID_NETRC"]):
        os.environ["NETRC"] = os.environ["LUCID_NETRC"]
    if os.path.exists(os.environ["LUCID_INDEX"]):
        os.environ.update(json.loads(Path(os.environ["LUCID_INDEX"]).read_bytes()))
    return str(bundle)


def one_index():
    """Have pip and uv ask the same index when a variable names one for either."""
    index = next((os.environ[name] for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") if name in os.environ), None)
    if index:
        os.environ.setdefault("UV_DEFAULT_INDEX", index)
        os.environ.setdefault("PIP_INDEX_URL", index)


def run(*command, **env):
    """Run a program. If it fails the stage ends with its exit code; its own output says why."""
    done = start(*command, **env)
    if done.returncode:
        sys.exit(done.returncode)


def start(*command, stderr=None, **env):
    """Run a program, and return how it ended and, if asked to, what it said."""
    bundle = trust()  # which changes the environment
    return subprocess.run(command, env={**os.environ, "SSL_CERT_FILE": bundle, **env}, stderr=stderr, text=True)


def pip(*arguments):
    """Run pip from its wheel."""
    wheel = next(Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))
    run(sys.executable, f"{wheel}/pip", *arguments, "--quiet", "--only-binary=:all:", "--no-deps",
        PIP_CERT=trust(), PIP_NO_CACHE_DIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")


def uv(*arguments):
    """Run uv. An index's pages that it keeps may be older than a version: then it asks for them as they are now."""
    command, env = ("/uv/bin/uv", *arguments), {"UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "UV_NO_INSTALLER_METADATA": "1"}
    done = start(*command, stderr=subprocess.PIPE, **env)
    if done.returncode and "No solution found" in done.stderr:
        run(*command, "--refresh", **env)
        return
    sys.stderr.write(done.stderr)
    if done.returncode:
        sys.exit(done.returncode)


def tools(requirements):
    """Install uv by its hash."""
    pip("install", "--no-compile", "--require-hashes", "--target", "/uv", "-r", requirements)


def check_magic(stdlib):
    """Refuse a Python that would not read the bytecode that this one writes."""
    found = re.search(r"^MAGIC_NUMBER = \((\d+)\)", (stdlib / "importlib/_bootstrap_external.py").read_text(), re.MULTILINE)
    own = int.from_bytes(MAGIC_NUMBER[:2], "little")
    if not found or int(found[1]) != own:
        sys.exit(f"error: the image's Python reads bytecode {found and found[1]}, the builder's writes {own}")


def interpreter(root, version, prefix):
    """Compile the standard library of the image at root; lay out its venv."""
    stdlib = Path(f"{root}{prefix}/lib/{PYTHON}")
    check_magic(stdlib)
    compile_tree(stdlib, strip=root)
    venv(Path(root + "/opt/venv"), prefix, version)
    settle(root)


def venv(root, prefix, version):
    """Lay out a virtual environment of the Python at prefix."""
    (root / SITE_PACKAGES).mkdir(parents=True)
    (root / "bin").mkdir()
    for name, target in [("python", f"{prefix}/bin/{PYTHON}"), ("python3", "python"), (PYTHON, "python")]:
        (root / "bin" / name).symlink_to(target)
    (root / "pyvenv.cfg").write_text(
        f"home = {prefix}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )


def layers(request):
    """Install wheels and share the files out: each layer gets those of its own distributions, below /out/N.

    One installation and one pass of the compiler serve all layers. Where two
    distributions own one path, each has it from an installation of its own: what
    is in a layer depends on its own wheels alone.
    """
    ask = json.loads(Path(request).read_text())
    everything = {name: line for layer in ask["layers"] for name, line in layer.items()}
    for name in spread(ask, everything):
        spread(ask, {name: everything[name]})
    for number in range(len(ask["layers"])):
        settle(f"/out/{number}")


def spread(ask, requirements):
    """Install requirements on an empty venv and copy each one's files to its layer; return the names of those that clash."""
    root = Path("/opt/venv")
    shutil.rmtree(root, ignore_errors=True)
    venv(root, "/usr", ask["version"])
    empty, site = {*root.rglob("*")}, root / SITE_PACKAGES
    install(ask, requirements)
    (root / ".lock").unlink(missing_ok=True)
    clashing = installed.contested(site)
    installed.tidy(root, site)
    compile_tree(site)
    left = {path for path in root.rglob("*") if path.is_symlink() or not path.is_dir()} - empty
    number = {name: number for number, layer in enumerate(ask["layers"]) for name in layer}
    for record in installed.records(site):
        for path in with_bytecode(record):
            copy(path, f"/out/{number[installed.name(record)]}")
            left.discard(path)
    if left:
        sys.exit(f"error: {min(left)} is in no distribution's RECORD")
    return clashing


def install(ask, requirements):
    """Have uv install requirements; those without a line were made here."""
    command = partial(
        uv, "pip", "install", "--quiet", "--python", "/opt/venv/bin/python", "--python-version", ask["version"],
        *(["--python-platform", ask["platform"]] if ask["platform"] else []),
        "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode",
    )
    lines = [line for line in requirements.values() if line]
    if lines:
        Path("/tmp/requirements.txt").write_text("".join(lines))
        command("--require-hashes", "-r", "/tmp/requirements.txt")
    if len(lines) < len(requirements):
        # uv knows a local file by its path and time, and these are always the same.
        command("--no-cache", "--no-index", *map(str, Path("/wheels").glob("*.whl")))


def with_bytecode(record):
    """List the files of a distribution."""
    for _, name, _ in installed.lines(record):
        path = Path(name)
        yield path
        if path.suffix == ".py" and (bytecode := Path(cache_from_source(path))).exists():
            yield bytecode


def copy(path, root):
    """Copy a file to the same path below another root."""
    target = Path(root) / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=False)


if __name__ == "__main__":
    os.umask(0o022)
    one_index()
    {"tools": tools, "interpreter": interpreter, "layers": layers}[sys.argv[1]](*sys.argv[2:])
