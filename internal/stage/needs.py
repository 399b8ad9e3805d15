"""Find out which packages of a lock need one that no image may have, and which of their versions do not."""

import json
import re
from pathlib import Path

import index
import stage

from pip._vendor.packaging.utils import canonicalize_name


def askers(lock):
    """Return, for each package of an annotated lock, the names of those that ask for it; "" is the list itself."""
    found, name = {}, ""
    for line in lock.splitlines():
        if pin := re.match(r"([a-z0-9-]+)==", line):
            name = pin[1]
            found.setdefault(name, [])
        elif (asks := re.match(r"\s+#\s+(?:via\s+)?(\S.*)$", line)) and line.strip() != "# via":
            if not asks[1].startswith("-c "):
                found[name].append("" if asks[1].startswith("-r ") else asks[1])
    return found


def way(found, name):
    """Return the shortest way from the list to a package, the package last."""
    ways, seen = [[name]], {name}
    while ways:
        this = ways.pop(0)
        for who in found.get(this[0], []):
            if not who:
                return this
            if who not in seen:
                seen.add(who)
                ways.append([who, *this])
    return [name]


def refused(lock, item, ask):
    """Return each package that asks for one that an image refuses, and the list itself if nothing else does."""
    found = askers(lock)
    versions = dict(re.findall(r"(?m)^([a-z0-9-]+)==([^\s;]+)", lock))
    problems = []
    for name in filter(found.get, item["refused"]):
        for who in filter(None, found[name]):
            path = way(found, who)
            problems.append({
                "name": name, "version": versions[name], "way": [{"name": n, "version": versions[n]} for n in path],
                "needs": requirement(who, versions[who], name),
                "nearest": without(item["written"].get(path[0], path[0]), versions[path[0]], item, ask),
            })
        if not any(found[name]):
            problems.append({"name": name, "version": versions[name]})
    return problems


def requirement(name, version, wanted):
    """Return the requirement that a package has of another, as its metadata says."""
    report = Path(f"/tmp/metadata.{name}.json")
    try:
        stage.pip("install", "--dry-run", "--ignore-installed", "--target", "/tmp/none", "--report", str(report), f"{name}=={version}")
        metadata = json.loads(report.read_text())["install"][0]["metadata"]
    except SystemExit:  # it has no wheel for this platform
        return wanted
    from pip._vendor.packaging.requirements import Requirement  # noqa: PLC0415 (it takes long, and few need it)
    for r in map(Requirement, metadata.get("requires_dist", [])):
        if canonicalize_name(r.name) == wanted and (not r.marker or "extra" not in str(r.marker)):
            return f"{wanted}{r.specifier}"
    return wanted


def without(written, version, item, ask):
    """Return the version of a project closest to one that brings nothing that an image refuses; newer ones first."""
    directory = Path("/tmp/without")
    directory.mkdir(exist_ok=True)
    limits, listed, out = (directory / n for n in ("limits.txt", "list.txt", "out.txt"))
    limits.write_text("".join(f"{name}<0\n" for name in item["refused"]))
    for sign, strategy in ((">", "lowest-direct"), ("<", "highest")):
        listed.write_text(f"{written}{sign}{version}\n")
        out.unlink(missing_ok=True)
        # What a source depends on is not known before it is built.
        said = index.compiled(ask["version"], item["targets"], "--resolution", strategy, "--only-binary", ":all:",
                              "--constraints", str(limits), "--output-file", str(out), str(listed), check=False)
        if not said:
            name = canonicalize_name(re.match(r"[A-Za-z0-9._-]+", written)[0])
            return re.search(rf"(?m)^{name}==([^\s;]+)", out.read_text())[1]
    return ""
