"""Ask the package index, through uv and pip alone."""

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import cache
import cause
import stage
from fitting import CPYTHON, file_name, platforms
from markers import environments, interpreters

from pip._vendor.packaging.version import Version

# Debian has no distutils; setuptools before 60 takes its own only when told.
OWN_DISTUTILS = {"SETUPTOOLS_USE_DISTUTILS": "local"}
# uv's own switch would have it read no project either.
NO_CONFIG = {"XDG_CONFIG_HOME": "/none", "XDG_CONFIG_DIRS": "/none"}
# What old sources say to a setuptools that has it no more: 82 and newer.
PKG_RESOURCES = "No module named 'pkg_resources'"


# How uv says which of the limits of a lock it speaks of: these are its only splits.
SPLIT = re.compile(r" for split \(markers: .*\)(?=:?$)", re.M)


class AnotherFile(Exception):
    """A file that is not the one that the index has the hash of."""


@functools.cache
def bundle():
    return stage.trust()


def old_setuptools():
    """Give a file that asks for a setuptools that old sources know."""
    file = Path("/tmp/setuptools.txt")
    file.write_text("setuptools < 82")
    return str(file)


def project(targets, version):
    """Give a directory for uv's --project, which limits a resolution to the targets.

    uv takes the setting from nowhere else.
    """
    limits = environments(targets, version)
    directory = Path("/tmp/targets") / hashlib.sha256(json.dumps(limits).encode()).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pyproject.toml").write_text(f"[tool.uv]\nenvironments = {json.dumps(limits)}\n")
    return str(directory)


def universal(targets, version):
    """Give the arguments of a resolution for the targets and nothing else.

    Of a package whose newest version is not for all of their Pythons, one is taken that
    is: a lock has the same for all.
    """
    oldest = min((interpreters(t, version)[0] for t in targets), key=Version)
    return "--universal", "--fork-strategy", "fewest", "--project", project(targets, version), "--python-version", oldest


def uv(*arguments, check=True):
    """Run uv and give what it said."""
    pairs = [*zip(arguments, arguments[1:])]
    user, place = cache.settings(builds=("--only-binary", ":all:") not in pairs or "--no-binary" in arguments)
    env = {**os.environ, **NO_CONFIG, "SSL_CERT_FILE": bundle(), "UV_NO_PROGRESS": "1", **place, **OWN_DISTUTILS}
    done = subprocess.run(["/uv/bin/uv", *arguments], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **user)
    if done.returncode and check:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    return done.returncode, cause.told_by_uv(done.stderr).strip()


def compiled(version, targets, *arguments, check=True, warnings=None, again=False):
    """Run uv pip compile for the targets and give what it said in case of failure, else add what it warns of to warnings.

    The index is asked for its pages as they are now; again is whether this step has just done so.
    """
    command = ["pip", "compile", *universal(targets, version), "--python", sys.executable, "--generate-hashes", "--no-header", *arguments]
    failed, said = uv(*command, "--offline", check=False) if again else (True, "")
    if failed:
        command.append("--refresh")
        failed, said = uv(*command, check=False)
    if failed and PKG_RESOURCES in said:
        failed, said = uv(*command, "--build-constraints", old_setuptools(), check=False)
    said = SPLIT.sub("", said)
    if not failed:
        if warnings is not None:
            warnings += [line.removeprefix("warning: ") for line in said.splitlines() if line.startswith("warning: ")]
        return ""
    if check:
        sys.exit(said)
    return said or "uv says nothing"


def tool(name):
    """Find the newest version of a tool: for each build platform, its wheel that runs on most."""
    found = {}
    for machine in ("x86_64", "aarch64"):
        report = Path(f"/tmp/{name}.json")
        stage.pip("install", "--dry-run", "--ignore-installed", "--target", "/tmp/none", "--report", str(report),
                  "--platform", f"manylinux2014_{machine}", name)
        item = json.loads(report.read_text())["install"][0]
        found[machine] = {
            "version": item["metadata"]["version"],
            "sha256": item["download_info"]["archive_info"]["hashes"]["sha256"],
        }
    return found


def session():
    """Give pip's session: its proxies, retries, authorities and credentials."""
    from pip._internal.commands import create_command  # noqa: PLC0415 (it takes as long as a resolution)
    command = create_command("download")
    options, _ = command.parse_args(["--dest=/tmp/none", f"--cert={bundle()}", "--no-cache-dir"])
    asking = command._build_session(options)
    # pip has an index's credentials for what is below its address; files may be beside it.
    asking.auth.index_urls = [*(asking.auth.index_urls or []), *(urljoin(url, "/") for url in asking.auth.index_urls or [] if "@" in url)]
    asking.auth.prompting = False
    return asking


def fetch(package, directory):
    """Unpack a source distribution below directory, checked by its hash."""
    from pip._internal.utils.unpacking import unpack_file  # noqa: PLC0415
    sdist = package["sdist"]
    archive = directory / file_name(sdist)
    with session() as asking:
        answer = asking.get(sdist["url"], headers={"Accept-Encoding": "identity"})
        answer.raise_for_status()
    if hashlib.sha256(answer.content).hexdigest() != sdist["hashes"]["sha256"]:
        raise AnotherFile(f"{archive.name} is another file than the index says")
    archive.write_bytes(answer.content)
    unpack_file(str(archive), str(directory / "source"))
    return directory / "source"


def sizes(urls):
    """Ask for the sizes of files, all at once."""
    def size(url):
        answer = asking.head(url, headers=plain, allow_redirects=True)
        if answer.ok and answer.headers.get("Content-Length", "").isdigit():
            return int(answer.headers["Content-Length"])
        answer = asking.get(url, headers=plain)  # not every server answers HEAD
        answer.raise_for_status()
        return len(answer.content)

    plain = {"Accept-Encoding": "identity"}
    if not urls:
        return []
    with session() as asking, ThreadPoolExecutor(8) as pool:
        return [*pool.map(size, urls)]


def nearest(package, targets, version):
    """Give the version closest to the locked one that has a wheel for every target, or nothing."""
    sets = [versions(package["name"], t, version) for t in targets]
    own = Version(package["version"])
    common = sorted(set.intersection(*sets))
    stable = [v for v in common if not v.is_prerelease or own.is_prerelease]
    newer = [v for v in stable if v > own]
    return str(next(iter(newer), stable[-1] if stable else ""))


@functools.cache
def links(name):
    """Ask the index through pip for all files of a project, once."""
    from pip._internal.index.collector import parse_links  # noqa: PLC0415
    with session() as asking:
        collector = finder(asking, None, "")._link_collector
        sources = collector.collect_sources(name, lambda page: parse_links(answer) if (answer := collector.fetch_response(page)) else [])
        found = [s for s in [*sources.find_links, *sources.index_urls] if s]
        return [link for s in found for link in [*s.page_candidates(), *s.file_links()]]


def finder(asking, target, version):
    """Give pip's finder of files for a target, or without one of what can be had at all."""
    from pip._internal.cli.cmdoptions import make_target_python  # noqa: PLC0415
    from pip._internal.commands import create_command  # noqa: PLC0415
    wheels = ["--only-binary=:all:", f"--abi={CPYTHON}", "--abi=abi3", "--abi=none", *[f"--platform={p}" for p in platforms(target)]] if target else []
    python = [f"--python-version={version}"] if version else []
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", "--dest=/tmp/none", *python, *wheels])
    return command._build_package_finder(options, asking, target_python=make_target_python(options))


def versions(name, target, version):
    """List the versions that have a wheel for a target, or without one those that can be had at all."""
    python = interpreters(target, version)[0] if target else version
    evaluator = finder(None, target, python).make_link_evaluator(name)
    judged = [(evaluator.evaluate_link(link), link) for link in links(name) if not link.is_yanked]
    return {Version(said) for (kind, said), _ in judged if kind.name == "candidate"}
