"""Resolve lists of packages to versions and hashes, and find out what has to be
built from source.
"""

import json
import os
import platform
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = ["/lucid", "/resolve", *map(str, Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))]

import index  # noqa: E402
import stage  # noqa: E402
from fitting import without_wheel  # noqa: E402
from source import source  # noqa: E402


def resolve(ask):
    """Resolve each list within the versions of the one before."""
    constraints = []
    for item in ask["lists"]:
        out, found = f"/out/{item['name']}.lock.txt", f"/tmp/pylock.{item['name']}.toml"
        result = {"sources": []}
        result["error"] = index.compiled(ask["version"], *constraints, "--output-file", out, f"/locks/{item['file']}", check=not ask["explain"])
        if result["error"]:
            Path(out).touch()
        else:
            constraints = ["--constraints", out]
            index.compiled(ask["version"], *constraints, "--format", "pylock.toml", "--output-file", found, f"/locks/{item['file']}")
            packages = tomllib.loads(Path(found).read_text())["packages"]
            missing = [(p, without_wheel(p, item["targets"], ask["version"])) for p in packages]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                jobs = [pool.submit(source, p, m, {**ask, "all": item["targets"]}) for p, m in missing if m]
                result["sources"] = [job.result() for job in jobs]
        Path(f"/out/{item['name']}.json").write_text(json.dumps(result))


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
