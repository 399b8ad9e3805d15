"""Lay out a service's own files: without a network, and the same for all platforms."""

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
        if path.is_file() and not os.path.exists(cache_from_source(path)):
            note(path)
    for directory in ask["writable"]:
        make_writable(directory, owners)
    stage.settle(OUT)


def make_writable(directory, owners):
    """Make a directory that the user owns. What is in it of the source stays root's."""
    at = directory
    while at != "/":
        if os.path.islink(OUT + at) or os.path.isfile(OUT + at):
            sys.exit(f"error: Writable {directory}: {at} is in {owners[at][0]['shown']}, and is no directory")
        at = os.path.dirname(at)
    os.makedirs(OUT + directory, exist_ok=True)
    os.chown(OUT + directory, NONROOT, NONROOT)


def note(path):
    """Write why a module has no bytecode to a file in its place: the contract reports it if the program needs the module."""
    try:
        compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
    except SyntaxError as error:
        why = f"line {error.lineno or 1}: {error.msg}"
    except Exception as error:  # what the compiler raises is not listed
        why = f"line 1: {error}"
    else:
        return
    print(f"{str(path).removeprefix(OUT)}: {why}", file=sys.stderr)
    place = path.parent / "__pycache__" / f"{path.stem}.error"
    place.parent.mkdir(exist_ok=True)
    place.write_text(why)


def copy(root, origin, owners):
    """Copy a directory. No two may have the same file; owners has what is there already."""
    origin = {**origin, "root": root}
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
    other, was_file = owners.setdefault(target, (origin, is_file))
    if (is_file or was_file) and other["root"] != origin["root"]:
        sys.exit(f"error: {target} is in {other['shown']} and in {origin['shown']}: exclude it from one")


if __name__ == "__main__":
    os.umask(0o022)
    source(*sys.argv[1:])
