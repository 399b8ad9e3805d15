"""What wheels a target runs, by their names alone."""

import re
from urllib.parse import unquote, urlsplit

from markers import wanted

from pip._vendor.packaging import tags
from pip._vendor.packaging.utils import parse_wheel_filename

PYTHON = (3, 11)
# manylinux1, 2010 and 2014 are other names of these (PEP 600).
OLD_NAMES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


def platforms(target):
    """Give the platform tags of wheels that a target runs, the best first."""
    kind, minor, machine = re.fullmatch(r"(\w+linux)_\d+_(\d+)_(\w+)", target).groups()
    if kind == "musllinux":
        return [f"musllinux_1_{m}_{machine}" for m in range(int(minor), -1, -1)] + [f"linux_{machine}"]
    found = []
    for m in range(int(minor), 4 if machine == "x86_64" else 16, -1):
        found += [f"manylinux_2_{m}_{machine}"] + [f"{name}_{machine}" for n, name in OLD_NAMES.items() if n == m]
    return found + [f"linux_{machine}"]


def fits(wheel, target):
    """Tell whether a wheel's file name is one that the target runs."""
    here = platforms(target)
    known = {*tags.cpython_tags(PYTHON, ["cp311"], here), *tags.compatible_tags(PYTHON, "cp311", here)}
    try:
        return bool(known & parse_wheel_filename(wheel)[3])
    except ValueError:  # a name from before the rules: no installer takes it
        return False


def file_name(item):
    return item.get("name") or unquote(urlsplit(item["url"]).path.rsplit("/", 1)[-1])


def without_wheel(package, targets, version):
    """Give the targets that need the package and that none of its wheels fits."""
    wheels = [file_name(w) for w in package.get("wheels", [])]
    needed = [t for t in targets if wanted(package.get("marker"), t, version)]
    return [t for t in needed if not any(fits(w, t) for w in wheels)]
