"""Ask the package index, through uv and pip alone."""

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urljoin

import cache
import cause
import stage
from fitting import CPYTHON, file_name, platforms
from markers import environments, interpreters

from pip._vendor.packaging.version import Version

# Debian has no distutils; setuptools before 60 uses its own only if this says so.
OWN_DISTUTILS = {"SETUPTOOLS_USE_DISTUTILS": "local"}
# uv's own switch, UV_NO_CONFIG, would keep it from reading --project, too.
NO_CONFIG = {"XDG_CONFIG_HOME": "/none", "XDG_CONFIG_DIRS": "/none"}
# The error of old sources under setuptools 82 and newer, which has no such module.
PKG_RESOURCES = "No module named 'pkg_resources'"


# Lines of uv's log: any, one of a project's page that is wanted, and a request that what is kept does not answer.
LOGGED = re.compile(r"^(?:TRACE|DEBUG|INFO|WARN) .*\n?", re.M)
PAGE = re.compile(r"^TRACE Fetching metadata for `([^`]+)`", re.M)
REQUEST = re.compile(r"^DEBUG (?!Found ).*://", re.M)
# The projects of which this step has asked for the pages, by the directory where uv keeps them.
RENEWED = defaultdict(set)
# Variables with which uv asks for more than the pages of projects.
MORE_INDEXES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")

# How uv says which of the limits of a lock it speaks of: these are its only splits.
SPLIT = re.compile(r" for split \(markers: .*\)(?=:?$)", re.M)


class AnotherFile(Exception):
    """A file with another hash than the index says."""


@functools.cache
def bundle():
    return stage.trust()


def old_setuptools():
    """Return a constraints file that limits setuptools to what old sources can use."""
    file = Path("/tmp/setuptools.txt")
    file.write_text("setuptools < 82")
    return str(file)


def project(targets, version):
    """Return a directory for uv's --project, which limits a resolution to the targets.

    uv takes the setting from nowhere else.
    """
    limits = environments(targets, version)
    directory = Path("/tmp/targets") / hashlib.sha256(json.dumps(limits).encode()).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pyproject.toml").write_text(f"[tool.uv]\nenvironments = {json.dumps(limits)}\n")
    return str(directory)


def universal(targets, version):
    """Return the arguments of a resolution for the targets and nothing else.

    If the newest version of a package does not run in all of their Pythons, an older one
    that does is taken: a lock has one version for all.
    """
    oldest = min((interpreters(t, version)[0] for t in targets), key=Version)
    return "--universal", "--fork-strategy", "fewest", "--project", project(targets, version), "--python-version", oldest


def uv(*arguments, check=True, log=""):
    """Run uv and return what it said."""
    user, place = cache.settings(builds=may_build(arguments))
    trusted = bundle()  # which changes the environment
    env = {**os.environ, **NO_CONFIG, "SSL_CERT_FILE": trusted, "UV_NO_PROGRESS": "1", "RUST_LOG": log, **place, **OWN_DISTUTILS}
    done = subprocess.run(["/uv/bin/uv", *arguments], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **user)
    if done.returncode and check:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    return done.returncode, cause.told_by_uv(done.stderr).strip()


def may_build(arguments):
    """Report whether uv may build sources for a command."""
    only_wheels = ("--only-binary", ":all:") in zip(arguments, arguments[1:]) and "--no-binary" not in arguments
    return arguments[:2] != ("pip", "list") and not only_wheels


def kept_in(arguments):
    return cache.settings(builds=may_build(arguments))[1]["UV_CACHE_DIR"]


def renew(projects):
    """Have uv ask for the pages of projects as they are now, all at once, for the resolutions that follow.

    A resolution fetches the page of a project when it comes to it, one after the other, and the metadata of
    files, which never changes. To list which packages are outdated, uv fetches just the pages.
    """
    if not projects or not cache.usable() or any(os.environ.get(name) for name in MORE_INDEXES):
        return
    place = Path("/tmp/asked")
    for project in projects:
        info = place / f"{project.replace('-', '_')}-0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 0\n")
    mark = place / "mark"
    mark.touch()
    command = ("pip", "list", "--outdated", "--format", "json", "--target", str(place), "--python", sys.executable)
    uv(*command, check=False)
    for place in (kept_in(command), str(cache.OWN)):  # the other has links to it
        RENEWED[place] |= cache.pages_since(mark.stat().st_mtime_ns)


def ask(command):
    """Run a resolution that asks for all pages; return whether it failed and what it said."""
    failed, said = uv(*command, "--refresh", check=False, log="uv_client=trace")
    if not failed:
        RENEWED[kept_in(command)].update(PAGE.findall(said))
    return failed, LOGGED.sub("", said).strip()


def from_kept(command):
    """Run a resolution with what is kept alone; return whether it failed and what it said, or None if that was not enough.

    uv takes an older version where it may not ask for what a newer one needs: its log says so, and what it
    has written then is taken back, as it keeps to the versions of a file that is there.
    """
    out = Path(command[command.index("--output-file") + 1])
    before = out.read_bytes() if out.exists() else None
    failed, said = uv(*command, "--offline", check=False, log="uv_client=trace")
    pages = {*PAGE.findall(said)}
    if pages and pages <= RENEWED[kept_in(command)] and not REQUEST.search(said):
        return failed, LOGGED.sub("", said).strip()
    if before is not None:
        out.write_bytes(before)
    else:
        out.unlink(missing_ok=True)
    return None


def compiled(version, targets, *arguments, check=True, warnings=None):
    """Run uv pip compile for the targets and return what it said in case of failure, else add what it warns of to warnings.

    The index is asked for its pages as they are now, once in this step.
    """
    command = ("pip", "compile", *universal(targets, version), "--python", sys.executable, "--generate-hashes", "--no-header", *arguments)
    failed, said = RENEWED[kept_in(command)] and from_kept(command) or ask(command)
    if failed and PKG_RESOURCES in said:
        failed, said = ask((*command, "--build-constraints", old_setuptools()))
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
    """Return pip's session: its proxies, retries, authorities and credentials."""
    from pip._internal.commands import create_command  # noqa: PLC0415 (it takes as long as a resolution)
    command = create_command("download")
    options, _ = command.parse_args(["--dest=/tmp/none", f"--cert={bundle()}", "--no-cache-dir"])
    asking = command._build_session(options)
    # pip has an index's credentials for what is below its address; files may be beside it.
    urls = [*(asking.auth.index_urls or []), *uv_indexes()]
    asking.auth.index_urls = [*urls, *(urljoin(url, "/") for url in urls if "@" in url)]
    asking.auth.prompting = False
    return asking


def uv_indexes():
    """Return the addresses of uv's indexes, each with the credentials that its variables hold."""
    found = []
    for place in " ".join(os.environ.get(name, "") for name in cache.ADDRESSES if name.startswith("UV_")).replace(",", " ").split():
        named = re.fullmatch(r"(?:([\w.-]+)=)?(https?://)(.+)", place)
        if not named:
            continue
        label, scheme, rest = named.groups()
        own = re.sub(r"[^A-Z0-9]", "_", (label or "").upper())
        user, password = (quote(os.environ.get(f"UV_INDEX_{own}_{what}", ""), safe="") for what in ("USERNAME", "PASSWORD"))
        known = "@" in rest.partition("/")[0]
        found.append(f"{scheme}{rest}" if known or not label or not user + password else f"{scheme}{user}:{password}@{rest}")
    return found


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
    """Return the version closest to the locked one that has a wheel for every target, or nothing."""
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
    """Return pip's finder of files for a target, or without one of what can be had at all."""
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
