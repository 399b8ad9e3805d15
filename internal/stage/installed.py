"""What wheels have put into a virtual environment, made fit for an image.

A RECORD changes together with the files that it lists.
"""

import base64
import csv
import hashlib
import os
import re
import sys
from pathlib import Path

# The first line of a script in whatever Python 3 it is installed for. A wheel
# should say "#!python" and have it replaced; setuptools makes that of every
# such line, other backends leave what the author wrote.
PYTHON = re.compile(rb"#![ \t]*(\S*/)?(env[ \t]+(-\S+[ \t]+)*(\S*/)?)?pythonw?(3[0-9.]*)?(?P<options>[ \t]+\S.*?)?\s*")


def records(site):
    """Give the RECORD files, in the order of their distributions."""
    return sorted(Path(site).glob("*.dist-info/RECORD"))


def name(record):
    """Give the canonical name (PEP 503) of a RECORD's distribution."""
    return re.sub(r"[-_.]+", "-", record.parent.name.partition("-")[0]).lower()


def lines(record):
    """Give each line of a RECORD with its file's path and hash."""
    site = record.parents[1]
    with record.open(newline="", errors="surrogateescape") as text:
        for line in text:
            path, digest, *_ = [*next(csv.reader([line]), []), "", ""]
            yield line, os.path.normpath(site / path), digest


def contested(site):
    """Name the distributions that install one path with different content.

    uv installs all at once, and the last to write a file wins.
    """
    owners = {}
    for record in records(site):
        for _, path, digest in lines(record):
            owners.setdefault(path, {})[record] = digest
    found = {
        record
        for digests in owners.values()
        if len(digests) > 1 and (len(set(digests.values())) > 1 or "" in digests.values())
        for record in digests
    }
    return [name(record) for record in sorted(found)]


def tidy(venv, site):
    """Drop what cannot be used in the image, and have scripts start there.

    All else is as published. Programs look for data below sys.prefix. Headers are
    small, and their path is in RECORD. What a .pth file has is run at each start,
    as its author wants. A console script is made for each entry point, as pip does:
    none says reliably which extra it needs, but it does when it is started.
    """
    changed = {**bytecode(venv), **scripts(venv)}
    for record in records(site) if changed else []:
        record.write_text("".join(relisted(record, changed)), newline="", errors="surrogateescape")


def relisted(record, changed):
    """Give the lines of a RECORD without the files that are gone."""
    for line, path, _ in lines(record):
        if path not in changed:
            yield line
        elif content := changed[path]:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            listed = line.rpartition(",")[0].rpartition(",")[0]
            yield f"{listed},sha256={digest},{len(content)}\n"


def bytecode(venv):
    """Drop the bytecode that has a source, which is compiled here, and what no Python 3 reads.

    Python takes a wheel's for its own, whatever source it was made of. A module
    that is published without its source stays; the contract says whether the
    image's Python reads it.
    """
    dropped = {}
    for path in sorted(Path(venv).rglob("*.py[co]")):
        cached = path.parent.name == "__pycache__"
        if cached or path.suffix == ".pyo" or path.with_suffix(".py").exists():
            path.unlink()
            dropped[str(path)] = None
            if cached and not any(path.parent.iterdir()):
                path.parent.rmdir()
    return dropped


def scripts(venv):
    """Have the scripts in Python start with the environment's own.

    Others are left out: what would run them, a shell or perl, is in no image, so
    that they would be commands that cannot start. What has no such line is data,
    for a shell to read or for Windows, and no command.
    """
    changed = {}
    for path in sorted((Path(venv) / "bin").iterdir()):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        first, end, rest = content.partition(b"\n")
        if not first.startswith(b"#!"):
            if not content.startswith(b"\x7fELF"):
                path.chmod(0o644)
            continue
        if python := PYTHON.fullmatch(first):
            content = b"#!%s/bin/python%s%s%s" % (os.fsencode(venv), python["options"] or b"", end, rest)
            if path.read_bytes() != content:
                path.write_bytes(content)
                changed[str(path)] = content
        else:
            print(f"left out {path}: it is run by {first[2:].decode(errors='replace').strip()}, which is not in the image", file=sys.stderr)
            path.unlink()
            changed[str(path)] = None
    return changed
