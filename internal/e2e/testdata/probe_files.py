"""What lies in site-packages and beside it: records, bytecode, scripts."""

import _imp
import base64
import csv
import hashlib
import importlib.util
import marshal
import pathlib
import sysconfig

from harness import check, main

PACKAGES = pathlib.Path(sysconfig.get_path("purelib"))
STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
SCRIPTS = pathlib.Path(sysconfig.get_path("scripts"))


def _dist_infos():
    found = sorted(PACKAGES.glob("*.dist-info"))
    assert found, f"no packages in {PACKAGES}"
    return found


def _record(dist_info):
    with open(dist_info / "RECORD", newline="") as file:
        for name, digest, size in csv.reader(file):
            yield (PACKAGES / name).resolve(), digest, size


@check("record")
def record():
    """Each line of each RECORD is true: PyPA's "recording installed projects"."""
    wrong = []
    for dist_info in _dist_infos():
        for path, digest, size in _record(dist_info):
            if not path.is_file():
                wrong.append(f"{path}: in RECORD of {dist_info.name}, missing")
                continue
            if not digest:  # RECORD itself, and bytecode, may have none
                if path.name != "RECORD" and path.suffix != ".pyc":
                    wrong.append(f"{path}: no hash in RECORD")
                continue
            data = path.read_bytes()
            algorithm, _, value = digest.partition("=")
            actual = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest())
            if actual.rstrip(b"=").decode() != value or size != str(len(data)):
                wrong.append(f"{path}: not as RECORD of {dist_info.name} says")
    assert not wrong, "\n".join(wrong)


@check("recorded")
def recorded():
    """Each file belongs to a package; bytecode to its source."""
    known = {path for info in _dist_infos() for path, _, _ in _record(info)}
    places = [*PACKAGES.rglob("*"), *SCRIPTS.iterdir()]
    unknown = [
        str(path)
        for path in places
        if path.is_file() and not path.is_symlink() and path.suffix != ".pyc" and path not in known
    ]
    assert not unknown, "\n".join(unknown)


@check("no-leftovers")
def no_leftovers():
    left = list(pathlib.Path("/opt/venv").rglob(".lock"))
    for name in ("INSTALLER", "REQUESTED", "direct_url.json"):
        left += PACKAGES.rglob(name)
    for name in ("pip", "setuptools", "wheel", "uv"):
        left += PACKAGES.glob(f"{name}-*.dist-info")
    assert not left, left


def _sources(root):
    for path in root.rglob("*.py"):
        if root != STDLIB or not {"dist-packages", "site-packages"} & set(path.parts):
            yield path


def _problem(source):
    """Says what is wrong with a source's bytecode; see PEP 552 for the header."""
    cached = pathlib.Path(importlib.util.cache_from_source(str(source)))
    if not cached.is_file():
        return "no bytecode"
    data = cached.read_bytes()
    if data[:4] != importlib.util.MAGIC_NUMBER:
        return "bytecode of another Python"
    if data[4:8] != b"\1\0\0\0":
        return f"flags {data[4:8].hex()}: not an unchecked hash"
    if data[8:16] != _imp.source_hash(importlib.util._RAW_MAGIC_NUMBER, source.read_bytes()):
        return "bytecode of another source"
    name = marshal.loads(data[16:]).co_filename
    return "" if name == str(source) else f"bytecode says it is {name}"


@check("bytecode")
def bytecode():
    wrong, count = [], 0
    for root in (STDLIB, PACKAGES):
        for source in _sources(root):
            count += 1
            if problem := _problem(source):
                wrong.append(f"{source}: {problem}")
    assert count > 1000, count
    assert not wrong, f"{len(wrong)} of {count}\n" + "\n".join(wrong[:40])


@check("no-orphan-bytecode")
def no_orphan_bytecode():
    for root in (STDLIB, PACKAGES):
        for cached in root.rglob("__pycache__/*.pyc"):
            source = pathlib.Path(importlib.util.source_from_cache(str(cached)))
            assert source.is_file(), f"{cached}: no source"


@check("scripts")
def scripts():
    count = 0
    for script in SCRIPTS.iterdir():
        if script.is_symlink():
            continue
        count += 1
        data = script.read_bytes()
        assert data.startswith(b"#!/opt/venv/bin/python\n"), (script, data[:80])
        assert script.stat().st_mode & 0o111 == 0o111, script
    assert count, "no console scripts"


if __name__ == "__main__":
    main()
