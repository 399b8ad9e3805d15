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
from importlib import import_module
from pathlib import Path
from threading import Thread

sys.path[:0] = ["/lucid", "/resolve", "/asking/pip"]

import cache  # noqa: E402
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
    constraints, found = [], []
    for item in ask["lists"]:
        result, missing = resolve_one(item, ask, constraints)
        if not result["error"]:
            constraints = ["--constraints", lock_of(item)]
        found.append((item, result, missing))
    cache.save()  # before any source is looked at
    for item, result, missing in found:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            result["sources"] = [*pool.map(lambda m: source(*m, {**ask, "all": item["targets"]}), missing)]
        Path(f"/out/{item['name']}.json").write_text(json.dumps(result))


def lock_of(item):
    return f"/out/{item['name']}.lock.txt"


def resolve_one(item, ask, constraints):
    """Lock a list; return what there is to know of the lock, and the packages that lack wheels with the targets that they lack them for."""
    result = {"wheels": {}, "sources": [], "warnings": [], "dropped": [], "refused": []}
    work = Path("/tmp/lists") / item["name"]
    work.mkdir(parents=True)
    out, found = work / "lock.txt", work / "pylock.toml"

    def run(dropped, *arguments, **options):
        names = Path("/tmp/dropped.txt")
        names.write_text("".join(f"{name}\n" for name in dropped))
        return index.compiled(ask["version"], item["targets"], *constraints, *["--excludes", str(names)] * bool(dropped),
                              *item["arguments"], *arguments, f"/locks/{item['file']}", **options)

    # uv prefers the versions of an output file that is there already.
    out.write_text(item["preferred"])
    cache.give(work)
    index.renew(expected(item))
    nowhere = [name for name in item["leftovers"] if name in NOWHERE]
    result["error"] = run(nowhere, "--output-file", str(out), check=not ask["explain"], warnings=result["warnings"])
    lock = Path(lock_of(item))
    if result["error"]:
        lock.touch()
        return result, []
    asks = askers(out.read_text())
    cache.remember(asks)
    result["dropped"] = [name for name in item["leftovers"] if not any(asks.get(name, []))]
    if set(result["dropped"]) - set(nowhere):
        run(result["dropped"], "--output-file", str(out))
    result["refused"] = refused(out.read_text(), item, ask)
    lock.write_text(for_targets(out.read_text(), item["targets"], ask["version"]))
    constraints = ["--constraints", str(lock)]
    run(result["dropped"], "--format", "pylock.toml", "--output-file", str(found))
    packages = tomllib.loads(found.read_text())["packages"]
    kept = [allowed(p, item["pins"]) for p in packages]
    result["hashes"] = {p["name"]: hashes for p, hashes in kept if hashes is not None}
    result["wheels"] = {f"{p['name']} {p['version']}": used_wheels(p, item["targets"], ask["version"]) for p, _ in kept}
    measure([w for wheels in result["wheels"].values() for w in wheels])
    missing = [(p, without_wheel(p, item["targets"], ask["version"])) for p, hashes in kept if hashes != []]
    return result, [(p, targets) for p, targets in missing if targets]


def expected(item):
    """Return the projects that a list is likely to come to, by what was seen of others; none where it names a new one."""
    needs, found = cache.needs(), set()
    left = [*item["written"], *re.findall(r"(?m)^([a-z0-9-]+)==", item["preferred"])]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += needs.get(name, [])
    return found if {*item["written"]} <= needs.keys() else set()


def for_targets(lock, targets, version):
    """Return a lock whose markers are reduced to what distinguishes the targets, without what none of them needs."""
    lines = []
    for entry in re.split(r"(?m)^(?=\S)", lock):
        head, mark, marker, rest = re.fullmatch(r"([^;\\\n]*)(?:( ; )([^\\\n]*?))?((?: \\)?\n.*)?", entry, re.S).groups()
        left = simplified(marker, targets, version) if mark else ""
        if left is not None:
            lines.append(head + (f" ; {left}" if left else "") + (rest or ""))
    return "".join(lines)


def measure(wheels):
    """Take the addresses off wheels, and measure those whose size the index does not say."""
    urls = [wheel.pop("url") for wheel in wheels]
    lacking = [(wheel, url) for wheel, url in zip(wheels, urls) if not wheel["size"]]
    for (wheel, _), size in zip(lacking, index.sizes([url for _, url in lacking])):
        wheel["size"] = size


def main():
    # What is needed of pip takes as long to import as uv takes to ask: both at once.
    Thread(target=import_module, args=["pip._vendor.packaging.markers"]).start()
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
