"""Ask the index about requirements, through uv and pip alone, and note what they
say: what it means is not decided here.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

sys.path[:0] = ["/lucid", "/resolve", *map(str, Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))]

import cause  # noqa: E402
import index  # noqa: E402
import stage  # noqa: E402
from fitting import platforms  # noqa: E402
from markers import interpreters  # noqa: E402

from pip._internal.cli.main import main as run_pip  # noqa: E402
from pip._vendor.packaging.version import InvalidVersion, Version  # noqa: E402

# What uv says when a project is there, but no file of it that would do, or no such version.
ABOUT_FILES = re.compile(r"has no (?:usable )?wheels|[Ff]ailed to build")
ABOUT_VERSIONS = re.compile(r"no versions? of|(?:is|are) available|does not satisfy Python|which are incompatible")

# What the list says for all of its lines: arguments of uv, and projects of which a pre-release will do.
SETTINGS = {"arguments": [], "releases": []}


def compiled(requirements, constraints, *arguments):
    """Have uv resolve requirements; give its lines, or else what it says."""
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / name for name in ("requirements.in", "constraints.in")]
        for file, lines in zip(files, (requirements, constraints)):
            file.write_text("".join(f"{line}\n" for line in lines))
        done = subprocess.run(
            ["/uv/bin/uv", "pip", "compile", "--quiet", "--python", sys.executable, "--no-header",
             "--constraints", files[1].name, *SETTINGS["arguments"], *arguments, files[0].name],
            cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.stdout, index.SPLIT.sub("", cause.told_by_uv(done.stderr).strip()) or "uv says nothing" if done.returncode else ""


def uv_platform(target):
    """Give uv's name of a target."""
    linux, machine = re.fullmatch(r"(\w+linux_\d+_\d+)_(\w+)", target).groups()
    return f"{machine}-{linux}" if linux.startswith("manylinux") else f"{machine}-unknown-linux-musl"


def unavailable(requirements, target, version):
    """Give what uv says of each of the requirements that cannot be had for a target, whatever they depend on."""
    arguments = ("--no-deps", "--python-version", interpreters(target, version)[0], "--python-platform", uv_platform(target))
    if not compiled(requirements, [], *arguments)[1]:
        return {}
    with ThreadPoolExecutor() as pool:
        said = pool.map(lambda r: compiled([r], [], *arguments)[1], requirements)
    return {r: error for r, error in zip(requirements, said) if error}


def versions(name, python, *arguments):
    """Have pip list the versions of a project: it does when it is asked for one that cannot be."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        run_pip(["download", "--quiet", "--no-deps", "--python-version", python, "--dest", "/tmp/none", *arguments, f"{name}===none"])
    found = re.search(r"\(from versions: (.*)\)", said.getvalue())
    listed = found[1].split(", ") if found and found[1] != "none" else []
    return {v for v in map(version, listed) if v}


def version(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def closest(wanted, found, unfinished=False):
    """Give the versions before and after a wanted one, the one that is more like it first.

    Without a wanted one, the newest. A version that is no release, unfinished, is for
    those who ask for one.
    """
    wanted = version(wanted)
    found = sorted(v for v in found if unfinished or not v.is_prerelease or wanted and wanted.is_prerelease)
    if not wanted:
        return [str(v) for v in found[-1:]]
    after = next((v for v in found if v > wanted), None)
    before = next((v for v in reversed(found) if v < wanted), None)
    return [str(v) for v in sorted(filter(None, (after, before)), key=lambda v: -alike(v, wanted))]


def alike(a, b):
    """Count the parts that two releases begin with in common."""
    return next((i for i, (x, y) in enumerate(zip(a.release, b.release)) if x != y), min(len(a.release), len(b.release)))


def near(name, wanted, targets, version):
    """Find the versions near a wanted one that have a wheel for every target, or without targets those that can be had at all.

    If none has, those are given that have one for every target of glibc or of musl.
    """
    questions = [(interpreters(t, version)[0], "--only-binary=:all:", *[f"--platform={p}" for p in platforms(t)])
                 for t in targets] or [(version,)]
    # A fork has the command loaded: to load it takes longer than to ask.
    import_module("pip._internal.commands.download")
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        jobs = [pool.submit(versions, name, *arguments) for arguments in questions]
        found = [job.result() for job in jobs]
    unfinished = bool({":all:", name} & {*SETTINGS["releases"]})
    if not targets:
        return {"nearest": closest(wanted, found[0], unfinished)}
    for some in (targets, *[[t for t in targets if t.startswith(libc)] for libc in ("many", "musl")]):
        common = set.intersection(*[f for t, f in zip(targets, found) if t in some] or [set()])
        if common:
            return {"wheels": closest(wanted, common, unfinished), "for": [] if some == targets else some}
    return {}


def alone(job, targets, version):
    """Ask for each requirement by itself. One that does not exist is asked for once, not for every target."""
    problems, left = {}, job["requirements"]
    for target in targets:
        for requirement, error in unavailable(left, target, version).items():
            i = job["requirements"].index(requirement)
            problems.setdefault(i, {"index": i, "error": error, "targets": []})["targets"].append(target)
        left = [r for i, r in enumerate(job["requirements"]) if i not in problems or ABOUT_FILES.search(problems[i]["error"])]
    for i, problem in problems.items():
        name, wanted = job["near"][i]
        if ABOUT_FILES.search(problem["error"]):
            problem.update(near(name, wanted, targets, version))
        elif ABOUT_VERSIONS.search(problem["error"]):
            problem.update(near(name, wanted, [], version))
    return {"problems": [problems[i] for i in sorted(problems)]}


def together(job, targets, version):
    """Ask for all, within the limits of a lock."""
    text, error = compiled(job["requirements"], job.get("constraints", []), *index.universal(targets, version))
    found, via, name = {}, {}, ""
    for line in text.splitlines():
        if pin := re.match(r"([^\s=\[]+)==([^\s;]+)", line):
            name = pin[1]
            found.setdefault(name, []).append(pin[2])
        elif asks := re.match(r"\s+#\s+(?:via\s+)?(?!via$)([a-z0-9-]+)$", line):
            via.setdefault(name, []).append(asks[1])
    return {"error": error, "versions": found, "via": via}


def answer(job, targets, version):
    if job["kind"] == "alone":
        return alone(job, targets, version)
    if job["kind"] == "together":
        return together(job, targets, version)
    return near(job["name"], job.get("wanted", ""), targets, version)


if __name__ == "__main__":
    os.umask(0o022)
    stage.one_index()
    ask = json.loads(Path("/locks/jobs.json").read_text())
    SETTINGS.update({name: ask[name] or [] for name in SETTINGS})
    os.environ.update({
        **index.NO_CONFIG, "SSL_CERT_FILE": stage.trust(), "UV_NO_PROGRESS": "1", "NO_COLOR": "1",
        "PIP_CERT": stage.trust(), "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    })
    Path("/out/answers.json").write_text(json.dumps([answer(job, ask["targets"], ask["version"]) for job in ask["jobs"]]))
