"""What a build stage runs: standard library and uv only, no shell.

Everything that a stage leaves behind is the same bytes every time: hash-based
bytecode, fixed modes and times, no file that tells when or by whom.
"""

import compileall
import os
import py_compile
import re
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

sys.path.insert(0, "/lucid")

import installed  # noqa: E402

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
IMAGE_CA = "/etc/ssl/certs/ca-certificates.crt"
SITE_PACKAGES = "lib/python3.11/site-packages"


def settle(root):
    """Fix modes and times of what changed below root, and of nothing else.

    Entries of lower layers have the fixed time already; to touch one would copy
    it into this layer.
    """
    for directory, names, files in os.walk(root, topdown=False):
        for path in [os.path.join(directory, name) for name in names + files]:
            settle_one(path)
    settle_one(root)


def settle_one(path):
    if not installed.is_new(path):
        return
    info = os.lstat(path)
    if not stat.S_ISLNK(info.st_mode):
        executable = stat.S_ISDIR(info.st_mode) or info.st_mode & 0o111
        os.chmod(path, 0o755 if executable else 0o644)
    os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def compile_tree(tree, strip=None):
    """Compile the modules below tree that are new or have no bytecode yet.

    What a lower layer has compiled is left alone: to write it again would copy
    it into this layer. A module that replaces a lower layer's is compiled again.
    """
    sources = [str(path) for path in sorted(Path(tree).rglob("*.py"))]
    missing = [path for path in sources if installed.is_new(path) or not os.path.exists(cache_from_source(path))]
    compile_one = partial(
        compileall.compile_file,
        quiet=2,
        stripdir=strip,
        prependdir="/" if strip else None,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    with ProcessPoolExecutor() as pool:
        list(pool.map(compile_one, missing, chunksize=16))


def trust():
    """Give the bundle to verify servers with: the image's own and the user's."""
    bundle = Path("/tmp/ca.pem")
    sources = [Path(IMAGE_CA), Path(os.environ["LUCID_CA"])]
    bundle.write_bytes(b"\n".join(p.read_bytes() for p in sources if p.exists()))
    if os.path.exists(os.environ["LUCID_NETRC"]):
        os.environ["NETRC"] = os.environ["LUCID_NETRC"]
    return str(bundle)


def one_index():
    """Have pip and uv ask the same index when one of them is told which."""
    index = next((os.environ[name] for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") if name in os.environ), None)
    if index:
        os.environ.setdefault("UV_DEFAULT_INDEX", index)
        os.environ.setdefault("PIP_INDEX_URL", index)


def run(*command, **env):
    """Run a program; when it fails, so does the stage: its own words say why."""
    done = subprocess.run(command, env={**os.environ, "SSL_CERT_FILE": trust(), **env})
    if done.returncode:
        sys.exit(done.returncode)


def pip(*arguments):
    """Run pip from its wheel."""
    wheel = next(Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))
    run(sys.executable, f"{wheel}/pip", *arguments, "--quiet", "--only-binary=:all:", "--no-deps",
        PIP_CERT=trust(), PIP_NO_CACHE_DIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")


def uv(*arguments):
    """Run uv."""
    run("/uv/bin/uv", *arguments, UV_NO_CONFIG="1", UV_NO_PROGRESS="1", UV_NO_INSTALLER_METADATA="1")


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
    stdlib = Path(f"{root}{prefix}/lib/python3.11")
    check_magic(stdlib)
    compile_tree(stdlib, strip=root)
    venv(Path(root + "/opt/venv"), prefix, version)
    settle(root)


def venv(root, prefix, version):
    """Lay out a virtual environment of the Python at prefix."""
    (root / SITE_PACKAGES).mkdir(parents=True)
    (root / "bin").mkdir()
    for name, target in [("python", f"{prefix}/bin/python3.11"), ("python3", "python"), ("python3.11", "python")]:
        (root / "bin" / name).symlink_to(target)
    (root / "pyvenv.cfg").write_text(
        f"home = {prefix}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    )


def lend_interpreter(link):
    """Have the venv's link lead to this Python where the stage lacks the image's."""
    target = Path(os.readlink(link))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(sys.executable)


def packages(requirements, wheels, version, *markers):
    """Install wheels for the target platform into /opt/venv.

    Those of /wheels were made here: each has a marker, which may be empty.
    """
    venv = "/opt/venv"
    site = f"{venv}/{SITE_PACKAGES}"
    lend_interpreter(f"{venv}/bin/python")
    install = partial(
        uv, "pip", "install", "--quiet", "--python", f"{venv}/bin/python",
        "--python-platform", wheels, "--python-version", version,
        "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode",
    )
    installs = []
    if Path(requirements).read_text():
        installs.append(partial(install, "--require-hashes", "-r", requirements))
    if markers:
        Path("/tmp/built.txt").write_text("\n".join(map(built, range(len(markers)), markers)))
        # uv knows a local file by its path and time, and these are always the same.
        installs.append(partial(install, "--no-cache", "--no-index", "-r", "/tmp/built.txt"))
    for each in installs:
        each()
    # One after the other, so that the last by name has the file, every time.
    for name in installed.contested(site):
        for each in installs:
            each("--reinstall-package", name)
    (Path(venv) / ".lock").unlink(missing_ok=True)
    installed.tidy(venv, site)
    compile_tree(site)
    settle(venv)
    settle_one("/opt")


def built(i, marker):
    """Give the requirement of a wheel that was made here."""
    wheel, = Path(f"/wheels/{i}").glob("*.whl")
    return f"{wheel.name.partition('-')[0]} @ file://{wheel}" + (f" ; {marker}" if marker else "")


if __name__ == "__main__":
    os.umask(0o022)
    one_index()
    {"tools": tools, "interpreter": interpreter, "packages": packages}[sys.argv[1]](*sys.argv[2:])
