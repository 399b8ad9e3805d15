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

# Matches the first line of a script for the Python 3 that it is installed in. A wheel
# should say "#!python", which installers replace; setuptools writes that for every
# such line, other backends leave what the author wrote.
PYTHON = re.compile(rb"#![ \t]*(\S*/)?(env[ \t]+(-\S+[ \t]+)*(\S*/)?)?pythonw?(3[0-9.]*)?(?P<options>[ \t]+\S.*?)?\s*")


def records(site):
    """Return the RECORD files, in the order of their distributions."""
    return sorted(Path(site).glob("*.dist-info/RECORD"))


def name(record):
    """Return the canonical name (PEP 503) of a RECORD's distribution."""
    return re.sub(r"[-_.]+", "-", record.parent.name.partition("-")[0]).lower()


def lines(record):
    """Return each line of a RECORD with its file's path and hash."""
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

    All else stays as published: programs look for data below sys.prefix, headers are
    small and listed in RECORD, and the lines of a .pth file run at each start, as
    their author wants. A console script is made for each entry point, as pip does,
    even for one that needs an extra: no metadata says reliably which, but the script
    does when it is started.
    """
    changed = {**bytecode(venv), **scripts(venv), **libraries(site)}
    for record in records(site) if changed else []:
        record.write_text("".join(relisted(record, changed)), newline="", errors="surrogateescape")


def relisted(record, changed):
    """Return the lines of a RECORD without the files that are gone."""
    for line, path, _ in lines(record):
        if path not in changed:
            yield line
        elif content := changed[path]:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            listed = line.rpartition(",")[0].rpartition(",")[0]
            yield f"{listed},sha256={digest},{len(content)}\n"


def bytecode(venv):
    """Drop the bytecode that has a source, which is compiled here, and what no Python 3 reads.

    Python would use a wheel's bytecode whatever source it was made from. A module
    that is published without its source stays; the contract reports whether the
    image's Python can read it.
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

    Scripts for something else, a shell or perl, are left out: no image has it, so
    they could not start. A file without such a line is data, for a shell to read or
    for Windows, and no command.
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


def libraries(site):
    """Have the libraries that a wheel brings look for each other beside themselves.

    auditwheel before 6 gave them the bare name of their directory for a search path,
    which the loader takes from the current directory, and whoever may write there
    chooses what is loaded. What it writes now is shorter, and has room in its place.
    """
    changed = {}
    for path in sorted(Path(site).glob("*.libs/*")):
        name = os.fsencode(path.parent.name)
        if path.is_symlink() or not path.is_file() or len(name) < len(b"$ORIGIN"):
            continue
        published = path.read_bytes()
        content = published.replace(b"\0%s\0" % name, b"\0%s\0" % b"$ORIGIN".ljust(len(name), b"\0"))
        if published.startswith(b"\x7fELF") and content != published:
            path.write_bytes(content)
            changed[str(path)] = content
    return changed
