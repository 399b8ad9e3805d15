"""Resolve lists of packages to versions and hashes, and find out what has to be
built from source.
"""

import json
import os
import platform
import re
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = ["/lucid", "/resolve", *map(str, Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))]

import index  # noqa: E402
import stage  # noqa: E402
from fitting import allowed, used_wheels, without_wheel  # noqa: E402
from markers import simplified  # noqa: E402
from needs import askers, refused  # noqa: E402
from source import source  # noqa: E402


# What "pip freeze" writes on some systems and no index has for Python 3.
NOWHERE = {"distribute", "pkg-resources"}


def resolve(ask):
    """Resolve each list within the versions of the one before."""
    constraints = []
    for item in ask["lists"]:
        result = resolve_one(item, ask, constraints)
        if not result["error"]:
            constraints = ["--constraints", lock_of(item)]
        Path(f"/out/{item['name']}.json").write_text(json.dumps(result))


def lock_of(item):
    return f"/out/{item['name']}.lock.txt"


def resolve_one(item, ask, constraints):
    """Lock a list and say what has to be built from source, and what else there is to know."""
    result = {"wheels": {}, "sources": [], "warnings": [], "dropped": [], "refused": []}
    out, found = Path(lock_of(item)), Path(f"/tmp/pylock.{item['name']}.toml")

    def run(dropped, *arguments, check=True, warnings=None):
        names = Path("/tmp/dropped.txt")
        names.write_text("".join(f"{name}\n" for name in dropped))
        return index.compiled(ask["version"], item["targets"], *constraints, *["--excludes", str(names)] * bool(dropped),
                              *item["arguments"], *arguments, f"/locks/{item['file']}", check=check, warnings=warnings)

    # uv keeps to the versions of a file that is there.
    out.write_text(item["preferred"])
    nowhere = [name for name in item["leftovers"] if name in NOWHERE]
    result["error"] = run(nowhere, "--output-file", str(out), check=not ask["explain"], warnings=result["warnings"])
    if result["error"]:
        out.touch()
        return result
    asks = askers(out.read_text())
    result["dropped"] = [name for name in item["leftovers"] if not any(asks.get(name, []))]
    if set(result["dropped"]) - set(nowhere):
        run(result["dropped"], "--output-file", str(out))
    result["refused"] = refused(out.read_text(), item, ask)
    out.write_text(for_targets(out.read_text(), item["targets"], ask["version"]))
    constraints = ["--constraints", str(out)]
    run(result["dropped"], "--format", "pylock.toml", "--output-file", str(found))
    packages = tomllib.loads(found.read_text())["packages"]
    kept = [allowed(p, item["pins"]) for p in packages]
    result["hashes"] = {p["name"]: hashes for p, hashes in kept if hashes is not None}
    missing = [(p, without_wheel(p, item["targets"], ask["version"])) for p, hashes in kept if hashes != []]
    result["wheels"] = {f"{p['name']} {p['version']}": measured(used_wheels(p, item["targets"], ask["version"])) for p, _ in kept}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(source, p, m, {**ask, "all": item["targets"]}) for p, m in missing if m]
        result["sources"] = [job.result() for job in jobs]
    return result


def for_targets(lock, targets, version):
    """Give a lock with markers that are about nothing but the targets, and without what none of them needs."""
    lines = []
    for entry in re.split(r"(?m)^(?=\S)", lock):
        head, mark, marker, rest = re.fullmatch(r"([^;\\\n]*)(?:( ; )([^\\\n]*?))?((?: \\)?\n.*)?", entry, re.S).groups()
        left = simplified(marker, targets, version) if mark else ""
        if left is not None:
            lines.append(head + (f" ; {left}" if left else "") + (rest or ""))
    return "".join(lines)


def measured(wheels):
    """Give the wheels without their addresses, and with sizes: not every index says them."""
    for wheel in wheels:
        url = wheel.pop("url")
        wheel["size"] = wheel["size"] or index.size(url)
    return wheels


def main():
    ask = json.loads(Path("/locks/ask.json").read_text())
    found = {name: index.tool(name) for name in ask["tools"]}
    Path("/out/tools.json").write_text(json.dumps(found))
    if found:
        uv_version = found["uv"][platform.machine()]["version"]
        stage.pip("install", "--no-compile", "--target", "/uv", "uv==" + uv_version)
    resolve(ask)


if __name__ == "__main__":
    os.umask(0o022)
    stage.one_index()
    main()
