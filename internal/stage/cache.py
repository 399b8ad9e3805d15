"""What a resolution keeps for the next one: the index's pages, the metadata of
files, and what was learnt of sources.

It saves time and changes nothing: pages are asked for again each time, and what is
learnt of a source holds for its hash and for the hashes of its build requirements.
A source's own code must not write here: it could put another hash into a page, for
another list. So a uv that may build sources works on links, as another user, and
what it adds is kept only when it has built none.
"""

import contextlib
import functools
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Lock

SHARED = Path("/cache")
PAGES, LEARNT = SHARED / "uv", SHARED / "sources"
# Where uv works when it may build sources, and the user that does so.
OWN = Path("/tmp/uv")
BUILDER = {"user": 65534, "group": 65534, "extra_groups": []}
# Where uv keeps what it has of an index, what it builds, and the rest.
INDEX, BUILT = ("simple-", "wheels-", "interpreter-"), "sdists-"
REST = ("archive-", "builds-", "environments-", "git-", "CACHEDIR.TAG", ".lock", ".gitignore")
ADDRESSES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")


REMEMBERING = Lock()


@functools.cache
def usable():
    """Report whether anything may be kept: nothing of an index that asks for credentials, and nothing where builds cannot run as another user."""
    secret = any(sign in os.environ.get(name, "") for name in ADDRESSES for sign in "@?")
    secret = secret or any(os.path.exists(os.environ[name]) for name in ("LUCID_NETRC", "LUCID_INDEX"))
    if secret or not SHARED.is_dir() or os.getpid() != 1:
        return False
    try:
        subprocess.run([sys.executable, "-ISc", ""], check=True, **BUILDER)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def builder():
    """Return the arguments of subprocess.run for who runs a source's own code."""
    if not usable():
        return {}
    for path, _ in kept():
        if path.name.endswith(".lock"):
            with contextlib.suppress(FileNotFoundError):
                path.chmod(0o644)  # uv lets everyone write them
    return BUILDER


def kept():
    """Yield the files of the index's cache with their status. Other resolutions add and remove some meanwhile."""
    for place, _, names in os.walk(PAGES):
        for path in (Path(place, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat()


def settings(builds):
    """Return how to run uv: the arguments of subprocess.run for its user, and its environment."""
    if not usable():
        return {}, {"UV_CACHE_DIR": str(OWN)}
    if builds:
        return builder(), {"UV_CACHE_DIR": str(own()), "HOME": str(OWN)}
    return {}, {"UV_CACHE_DIR": str(PAGES)}


@functools.cache
def own():
    """Return the cache directory of a uv that may build sources: links to what is kept."""
    OWN.mkdir()
    for file, status in kept():
        place = file.relative_to(PAGES)
        # A lock is opened for writing, and its user makes one of its own.
        if place.parts[0].startswith(INDEX) and not file.name.endswith(".lock") and stat.S_ISREG(status.st_mode) and status.st_mode & 0o004:
            (OWN / place).parent.mkdir(parents=True, exist_ok=True)
            (OWN / place).symlink_to(file)
    return give(OWN)


def give(directory):
    """Make the builder the owner of a directory and of all that is in it."""
    for place, _, files in os.walk(directory) if usable() else []:
        for path in [place, *(os.path.join(place, name) for name in files)]:
            os.chown(path, BUILDER["user"], BUILDER["group"], follow_symlinks=False)
    return directory


def save():
    """Keep what uv has added to its own cache, unless it has built a source."""
    if not usable() or not OWN.is_dir():
        return
    # What a build leaves running could hide that there was one. All of the builder's processes are in this step.
    subprocess.run([sys.executable, "-ISc", "import os; os.kill(-1, 9)"], stderr=subprocess.DEVNULL, **builder())
    if all(p.name.startswith((*INDEX, BUILT, *REST)) for p in OWN.iterdir()) and not any(p.is_dir() for p in OWN.glob(f"{BUILT}*/[!.]*")):
        for file in OWN.rglob("*"):
            place = file.relative_to(OWN)
            if place.parts[0].startswith(INDEX) and not file.name.endswith(".lock") and file.is_file() and not file.is_symlink():
                write(PAGES / place, file.read_bytes())


def pages_since(when):
    """Return the projects of which the index's page was written since a time."""
    return {page.stem for page, status in kept()
            if status.st_mtime_ns >= when and page.suffix == ".rkyv" and page.relative_to(PAGES).parts[0].startswith("simple-")}


def write(path, content):
    """Write a file whole: others may read it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def learnt(key):
    """Return what these scripts have learnt by a key, or None."""
    try:
        return json.loads(place_of(key).read_text()) if usable() else None
    except (OSError, ValueError):
        return None


def learn(key, what):
    if usable():
        write(place_of(key), json.dumps(what).encode())


def needs():
    """Return, by the name of a project, the projects that it or its build was seen to need."""
    return learnt("needs") or {}


def remember(asks):
    """Note what was asked for by what."""
    with REMEMBERING:
        known = {name: {*needed} for name, needed in needs().items()}
        for name, who in asks.items():
            known.setdefault(name, set())
            for one in filter(None, who):
                known.setdefault(one, set()).add(name)
        learn("needs", {name: sorted(needed) for name, needed in known.items()})


def place_of(key):
    return LEARNT / hashlib.sha256(json.dumps([rules(), key]).encode()).hexdigest()


@functools.cache
def rules():
    scripts = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(p.read_bytes() for p in scripts)).hexdigest()
