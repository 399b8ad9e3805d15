"""Ask the index about requirements, through uv and pip alone, and note what they
say: what it means is not decided here.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from pathlib import Path

sys.path[:0] = ["/lucid", "/resolve", "/asking/pip"]

import cause  # noqa: E402
import index  # noqa: E402
import needs  # noqa: E402
import stage  # noqa: E402
from markers import interpreters  # noqa: E402

from pip._vendor.packaging.utils import canonicalize_name  # noqa: E402
from pip._vendor.packaging.version import InvalidVersion, Version  # noqa: E402

# What uv says when a project is there, but no file of it that would do, or no such version.
ABOUT_FILES = re.compile(r"has no (?:usable )?wheels|[Ff]ailed to build")
ABOUT_VERSIONS = re.compile(r"no versions? of|(?:is|are) available|does not satisfy Python|which are incompatible")

# What the list says for all of its lines: arguments of uv, and projects of which a pre-release will do.
SETTINGS = {"arguments": [], "releases": []}


class Clock:
    """The time that there is for all answers. What takes longer raises Late."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        left = self.end - time.monotonic()
        if left <= 0:
            raise Late
        return left


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Recent:
    """The projects whose pages were fetched from the index a moment ago, so that uv still has them.

    A diagnosis takes several steps, and each asks much the same again.
    """

    FILE, SECONDS = Path("/root/.cache/uv/recent.json"), 60

    def __init__(self):
        try:
            asked = json.loads(self.FILE.read_text())
        except (OSError, ValueError):
            asked = {}
        self.asked = {what: when for what, when in asked.items() if 0 <= time.time() - when < self.SECONDS}

    def has(self, projects):
        return all(project in self.asked for project in projects)

    def add(self, projects):
        self.asked.update({project: time.time() for project in projects})

    def save(self):
        self.FILE.write_text(json.dumps(self.asked))


RECENT = Recent()
# How uv says that the index did not answer.
UNANSWERED = re.compile(r"Request failed after|Failed to fetch|error sending request")


def compiled(clock, requirements, constraints, *arguments):
    """Have uv resolve requirements; return its lines, or else what it says."""
    if RECENT.has(map(project_of, requirements)):
        text, error, log = run_uv(clock, requirements, constraints, *arguments, "--offline")
        # Offline, uv silently takes another version where it would have to ask.
        if RECENT.has(index.PAGE.findall(log)) and not index.REQUEST.search(log):
            return text, error
    text, error, log = run_uv(clock, requirements, constraints, *arguments, "--refresh")
    if not UNANSWERED.search(error):
        RECENT.add(index.PAGE.findall(log))
    return text, error


def run_uv(clock, requirements, constraints, *arguments):
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / name for name in ("requirements.in", "constraints.in")]
        for file, lines in zip(files, (requirements, constraints)):
            file.write_text("".join(f"{line}\n" for line in lines))
        try:
            done = subprocess.run(
                ["/uv/bin/uv", "pip", "compile", "--quiet", "--python", sys.executable, "--no-header",
                 "--constraints", files[1].name, *SETTINGS["arguments"], *arguments, files[0].name],
                cwd=directory, env={**os.environ, "RUST_LOG": "uv_client=trace"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=clock.left())
        except subprocess.TimeoutExpired:
            raise Late from None
    error = index.SPLIT.sub("", cause.told_by_uv(index.LOGGED.sub("", done.stderr)).strip()) or "uv says nothing"
    return done.stdout, error if done.returncode else "", done.stderr


def uv_platform(target):
    """Return uv's name of a target."""
    linux, machine = re.fullmatch(r"(\w+linux_\d+_\d+)_(\w+)", target).groups()
    return f"{machine}-{linux}" if linux.startswith("manylinux") else f"{machine}-unknown-linux-musl"


def unavailable(clock, requirements, target, version, problems):
    """Add to problems what uv says of each requirement that a target cannot have, leaving aside what it depends on.

    What uv names is asked for by itself; the others are asked for again, without it.
    """
    arguments = ("--no-deps", "--python-version", interpreters(target, version)[0], "--python-platform", uv_platform(target))
    say(f"asking for {len(requirements)} requirements for {target}")

    def failing(some):
        with ThreadPoolExecutor() as pool:
            said = zip(some, pool.map(lambda r: compiled(clock, [r], [], *arguments)[1], some))
            return [problems.setdefault(r, {"error": error, "targets": []})["targets"].append(target) for r, error in said if error]

    left = list(requirements)
    while left and (error := compiled(clock, left, [], *arguments)[1]):
        named = [r for r in left if project_of(r) in words(error)]
        left = [r for r in left if r not in named]
        if not failing(named):
            failing(left)
            return


def project_of(requirement):
    return canonicalize_name(re.match(r"[A-Za-z0-9._-]*", requirement)[0])


def words(text):
    """Return what may be the name of a project in a text."""
    return {canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.sub(r"[<>=!~]=?", " ", text))}


def version(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def closest(wanted, found, unfinished=False):
    """Return the versions before and after a wanted one, the one that is more like it first.

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


def near(clock, name, wanted, targets, version):
    """Find the versions near a wanted one that have a wheel for every target, or without targets those that can be had at all.

    If none has, those are returned that have one for every target of glibc or of musl.
    """
    say("looking for versions of", name)
    ThreadPoolExecutor(1).submit(index.links, name).result(timeout=clock.left())
    found = [index.versions(name, t, version) for t in targets or [None]]
    unfinished = bool({":all:", name} & {*SETTINGS["releases"]})
    if not targets:
        return {"nearest": closest(wanted, found[0], unfinished)}
    for some in (targets, *[[t for t in targets if t.startswith(libc)] for libc in ("many", "musl")]):
        common = set.intersection(*[f for t, f in zip(targets, found) if t in some] or [set()])
        if common:
            return {"wheels": closest(wanted, common, unfinished), "for": [] if some == targets else some}
    return {}


def alone(clock, job, targets, version):
    """Ask for each requirement by itself. One that does not exist is asked for once, not for every target.

    Those that were not asked for in time are late, as are the versions near one.
    """
    problems, late = {}, []
    left = job["requirements"]
    try:
        unavailable(clock, left, targets[0], version, problems)
        left = [r for r in left if r not in problems or ABOUT_FILES.search(problems[r]["error"])]
        parts = [{} for _ in targets[1:]]
        each(lambda t, part: unavailable(clock, left, t, version, part), targets[1:], parts)
        for part in parts:
            for requirement, problem in part.items():
                problems.setdefault(requirement, {**problem, "targets": []})["targets"] += problem["targets"]
    except Late:
        late = [i for i, r in enumerate(job["requirements"]) if r in left and r not in problems]

    def found(i):
        problem = {"index": i, **problems[job["requirements"][i]]}
        files = ABOUT_FILES.search(problem["error"])
        try:
            if files or ABOUT_VERSIONS.search(problem["error"]):
                problem.update(near(clock, *job["near"][i], targets if files else [], version))
        except Late:
            problem["late"] = True
        return problem

    failing = [i for i, requirement in enumerate(job["requirements"]) if requirement in problems]
    return {"problems": each(found, failing), "unasked": late}


def each(call, *arguments):
    """Call with each of the arguments, all at once; return the results in order."""
    with ThreadPoolExecutor(8) as pool:
        return [*pool.map(call, *arguments)]


def together(clock, job, targets, version):
    """Ask for all, within the limits of a lock."""
    say(f"asking which of {len(job['requirements'])} requirements go together")
    text, error = compiled(clock, job["requirements"], job.get("constraints", []), *index.universal(targets, version))
    asks = needs.askers(text)
    found = {}
    for name, pin in re.findall(r"(?m)^([^\s=\[]+)==([^\s;]+)", text):
        found.setdefault(name, []).append(pin)
    return {"error": error, "versions": found, "via": {name: [who for who in asks[name] if who] for name in asks}}


def answer(clock, job, targets, version):
    try:
        if job["kind"] == "alone":
            return alone(clock, job, targets, version)
        if job["kind"] == "together":
            return together(clock, job, targets, version)
        return near(clock, job["name"], job.get("wanted", ""), targets, version)
    except Late:
        return {"late": True}


if __name__ == "__main__":
    os.umask(0o022)
    stage.one_index()
    ask = json.loads(Path("/locks/jobs.json").read_text())
    SETTINGS.update({name: ask[name] or [] for name in SETTINGS})
    os.environ.update({**index.NO_CONFIG, "SSL_CERT_FILE": stage.trust(), "UV_NO_PROGRESS": "1", "NO_COLOR": "1"})
    time_left = Clock(ask["seconds"])
    Path("/out/answers.json").write_text(json.dumps(each(lambda job: answer(time_left, job, ask["targets"], ask["version"]), ask["jobs"])))
    RECENT.save()
    os._exit(0)  # what is late may still wait for the index
