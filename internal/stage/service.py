"""What lays out a service's own files: no network, and the same for all platforms."""

import json
import os
import shutil
import sys
from importlib.util import cache_from_source
from pathlib import Path

sys.path.insert(0, "/lucid")

import installed  # noqa: E402
import stage  # noqa: E402

OUT = "/out"
NONROOT = 65532  # the user and group of every image


def source(request):
    """Copy directories to their places, compile their modules, and make the directories that the user owns."""
    ask = json.loads(Path(request).read_text())
    owners = {}
    for number, origin in enumerate(ask["sources"]):
        copy(f"/source/{number}", origin, owners)
    installed.bytecode(OUT)
    stage.compile_tree(OUT, strip=OUT)
    for path in sorted(Path(OUT).rglob("*.py")):
        if not os.path.exists(cache_from_source(path)):
            print(f"{str(path).removeprefix(OUT)} is no module of this Python, and has no bytecode", file=sys.stderr)
    for directory in ask["writable"]:
        os.makedirs(OUT + directory, exist_ok=True)
        os.chown(OUT + directory, NONROOT, NONROOT)
    stage.settle(OUT)


def copy(root, origin, owners):
    """Copy a directory. No two may have the same file; owners has what is there already."""
    for directory, names, files in os.walk(root):
        at = os.path.normpath(os.path.join(origin["to"], os.path.relpath(directory, root)))
        claim(at, origin, owners)
        os.makedirs(OUT + at, exist_ok=True)
        for name in sorted(files + [n for n in names if os.path.islink(os.path.join(directory, n))]):
            target = os.path.join(at, name)
            claim(target, origin, owners, is_file=True)
            shutil.copy2(os.path.join(directory, name), OUT + target, follow_symlinks=False)


def claim(target, origin, owners, is_file=False):
    """End when a path is another's file, or is a file and another's directory."""
    other, was_file = owners.setdefault(target, (origin["shown"], is_file))
    if (is_file or was_file) and other != origin["shown"]:
        sys.exit(f"error: {target} is in {other} and in {origin['shown']}")


if __name__ == "__main__":
    os.umask(0o022)
    source(*sys.argv[1:])
