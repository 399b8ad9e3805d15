"""Which wheels a target can use, by their names alone."""

import functools
import re
import sys
from urllib.parse import unquote, urlsplit

from markers import wanted

from pip._vendor.packaging import tags
from pip._vendor.packaging.utils import parse_wheel_filename
from pip._vendor.packaging.version import Version

PYTHON = sys.version_info[:2]
CPYTHON = f"cp{PYTHON[0]}{PYTHON[1]}"
# manylinux1, 2010 and 2014 are other names of these (PEP 600).
OLD_NAMES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


def platforms(target):
    """Return the platform tags of wheels that a target runs, the best first."""
    kind, minor, machine = re.fullmatch(r"(\w+linux)_\d+_(\d+)_(\w+)", target).groups()
    if kind == "musllinux":
        return [f"musllinux_1_{m}_{machine}" for m in range(int(minor), -1, -1)] + [f"linux_{machine}"]
    found = []
    for m in range(int(minor), 4 if machine == "x86_64" else 16, -1):
        found += [f"manylinux_2_{m}_{machine}"] + [f"{name}_{machine}" for n, name in OLD_NAMES.items() if n == m]
    return found + [f"linux_{machine}"]


@functools.cache
def ranks(target):
    """Map each tag of wheels that the target runs to its place, the best first."""
    here = platforms(target)
    known = dict.fromkeys([*tags.cpython_tags(PYTHON, [CPYTHON], here), *tags.compatible_tags(PYTHON, CPYTHON, here)])
    return {tag: rank for rank, tag in enumerate(known)}


def rank(wheel, target):
    """Return the place of a wheel among those that the target runs; None if it does not."""
    try:
        found = parse_wheel_filename(wheel)[3]
    except ValueError:  # a name from before the rules: no installer takes it
        return None
    return min((ranks(target)[tag] for tag in found if tag in ranks(target)), default=None)


def fits(wheel, target):
    """Report whether a wheel's file name is one that the target runs."""
    return rank(wheel, target) is not None


def file_name(item):
    return item.get("name") or unquote(urlsplit(item["url"]).path.rsplit("/", 1)[-1])


def without_wheel(package, targets, version):
    """Return the targets that need the package and that none of its wheels fits."""
    wheels = [file_name(w) for w in package.get("wheels", [])]
    needed = [t for t in targets if wanted(package.get("marker"), t, version)]
    return [t for t in needed if not any(fits(w, t) for w in wheels)]


def allowed(package, pins):
    """Return the package with those of its files that a list's hashes allow, and their hashes, or None where the list has no hash for it."""
    sets = [{*p["hashes"]} for p in pins if p["name"] == package["name"] and Version(p["version"]) == Version(package["version"])]
    if not sets:
        return package, None
    common = set.intersection(*sets)
    kept = {**package, "wheels": [w for w in package.get("wheels", []) if hash_of(w) in common]}
    if "sdist" in package and hash_of(package["sdist"]) not in common:
        del kept["sdist"]
    files = [*kept["wheels"], *([kept["sdist"]] if "sdist" in kept else [])]
    return kept, sorted(map(hash_of, files))


def hash_of(file):
    return "sha256:" + file["hashes"]["sha256"]


def used_wheels(package, targets, version):
    """Return the wheels that the targets use, the best for each: name, size, hash, address and its targets."""
    used = {}
    for target in targets:
        fitting = [w for w in package.get("wheels", []) if fits(file_name(w), target)]
        if fitting and wanted(package.get("marker"), target, version):
            # Of equal ones a later build goes first (PEP 427).
            best = min(fitting, key=lambda w: (rank(file_name(w), target), negated(parse_wheel_filename(file_name(w))[2])))
            found = {"name": file_name(best), "size": best.get("size", 0), "sha256": best["hashes"]["sha256"], "url": best["url"], "targets": []}
            used.setdefault(found["name"], found)["targets"].append(target)
    return list(used.values())


def negated(build):
    return [-build[0], build[1]] if build else [0, ""]
