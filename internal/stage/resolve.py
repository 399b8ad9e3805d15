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
from fitting import without_wheel  # noqa: E402
from markers import simplified  # noqa: E402
from source import source  # noqa: E402


def resolve(ask):
    """Resolve each list within the versions of the one before."""
    constraints = []
    for item in ask["lists"]:
        result = {"sources": [], "warnings": []}
        out, listed = Path(f"/out/{item['name']}.lock.txt"), f"/locks/{item['file']}"
        found = Path(f"/tmp/pylock.{item['name']}.toml")
        asked = ask["version"], item["targets"]
        result["error"] = index.compiled(*asked, *constraints, "--output-file", str(out), listed,
                                         check=not ask["explain"], warnings=result["warnings"])
        if result["error"]:
            out.touch()
        else:
            out.write_text(for_targets(out.read_text(), item["targets"], ask["version"]))
            constraints = ["--constraints", str(out)]
            index.compiled(*asked, *constraints, "--format", "pylock.toml", "--output-file", str(found), listed)
            packages = tomllib.loads(found.read_text())["packages"]
            missing = [(p, without_wheel(p, item["targets"], ask["version"])) for p in packages]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                jobs = [pool.submit(source, p, m, {**ask, "all": item["targets"]}) for p, m in missing if m]
                result["sources"] = [job.result() for job in jobs]
        Path(f"/out/{item['name']}.json").write_text(json.dumps(result))


def for_targets(lock, targets, version):
    """Give a lock with markers that are about nothing but the targets, and without what none of them needs."""
    lines = []
    for entry in re.split(r"(?m)^(?=\S)", lock):
        head, mark, marker, rest = re.fullmatch(r"([^;\\\n]*)(?:( ; )([^\\\n]*?))?((?: \\)?\n.*)?", entry, re.S).groups()
        left = simplified(marker, targets, version) if mark else ""
        if left is not None:
            lines.append(head + (f" ; {left}" if left else "") + (rest or ""))
    return "".join(lines)


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
