"""Evaluate markers (PEP 508) for the platforms of the images, by the names of their targets alone."""

import copy
import functools
from itertools import groupby

# The versions of Python that an Alpine image may have besides Debian's, as old as which
# an image of one's own may be: the first that the locked tag had, and the last that
# there can be. What a lock has for an older one alone is small.
ALPINE = ("3.11.14", "3.11.99")
LINUX = ("implementation_name == 'cpython' and platform_python_implementation == 'CPython' and os_name == 'posix'"
         " and sys_platform == 'linux' and platform_system == 'Linux'")


@functools.cache
def parsed(marker):
    """Return a Marker of a text. To make one takes milliseconds, and most of a lock's are the same."""
    from pip._vendor.packaging.markers import Marker  # noqa: PLC0415 (it takes as long as a resolution)
    return Marker(marker)


def machine(target):
    return target.split("_", 3)[3]


def interpreters(target, version):
    """Return the full versions that a target's Python may have, the oldest first. version is Debian's."""
    return (version, *ALPINE) if target.startswith("musllinux") else (version,)


def environments(targets, version):
    """Return the targets as uv's setting of that name has them: a condition for each Python.

    A resolution within these is right for the targets and for nothing else. One for
    each target would be as right, but takes as many runs, whose versions of a package
    have then to be made one: markers do not distinguish C libraries.
    """
    found = []
    musl = {machine(t) for t in targets if t.startswith("musllinux")}
    debian = {machine(t) for t in targets} - musl
    for machines, python in ((debian, f"python_full_version == '{version}'"), (musl, f"python_full_version >= '{version}' and python_full_version < '3.12'")):
        if machines:
            each = [f"platform_machine == '{m}'" for m in sorted(machines, reverse=True)]
            found.append(f"{LINUX} and {python} and ({' or '.join(each)})")
    return found


def places(target, version):
    """Return what the variables of markers are on a target, once for each Python that it may have."""
    return [{
        "implementation_name": "cpython", "implementation_version": python, "os_name": "posix", "platform_machine": machine(target),
        "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux", "platform_version": "",
        "python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux", "extra": "",
    } for python in interpreters(target, version)]


@functools.cache
def wanted(marker, target, version):
    """Report whether a marker holds on the target."""
    return not marker or any(parsed(marker).evaluate(p) for p in places(target, version))


def simplified(marker, targets, version):
    """Return what is left of a marker on the targets: "" where it holds on all, None where on none."""
    left = {m: reduced(parsed(marker)._markers, [p for t in targets if machine(t) == m for p in places(t, version)])
            for m in sorted({machine(t) for t in targets})}
    if len({str(rest) for rest in left.values()}) == 1:
        rest = next(iter(left.values()))
        return text(rest) if isinstance(rest, list) else "" if rest else None
    parts = []
    for m, rest in left.items():
        if rest is not False:
            also = f" and ({text(rest)})" if isinstance(rest, list) else ""
            parts.append(f"platform_machine == '{m}'{also}")
    return " or ".join(parts)


def reduced(node, where):
    """Return a part of a marker without what is the same at all places; True or False where all of it is."""
    held = {holds(node, place) for place in where}
    if len(held) == 1:
        return held.pop()
    if isinstance(node, tuple):
        return [node]
    groups = []
    for is_or, group in groupby(node, lambda part: part == "or"):
        parts = [] if is_or else [reduced(part, where) for part in group if part != "and"]
        parts = [part for part in parts if part is not True]
        if parts and not any(part is False for part in parts) and parts not in groups:
            groups.append(parts)
    return groups[0][0] if len(groups) == len(groups[0]) == 1 else joined(groups)


def joined(groups):
    """Return the marker that holds where all parts of one of the groups do."""
    node = []
    for parts in groups:
        node += ["or"] * bool(node)
        for i, part in enumerate(parts):
            node += ["and"] * bool(i) + (part if len(part) == 1 else [part])
    return node


def holds(node, place):
    return as_marker(node).evaluate(place)


def text(node):
    return str(as_marker(node)).replace('"', "'")


def as_marker(node):
    marker = copy.copy(parsed("os_name == ''"))
    marker._markers = node if isinstance(node, list) else [node]
    return marker
