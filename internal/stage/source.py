"""Find out what it takes to build a source distribution.

What a source needs is learnt from its own build backend, which sees an
environment of its own.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import timedelta
from pathlib import Path

import backend
import cache
import cause
import index
import stage
from fitting import file_name, fits, without_wheel
from markers import wanted

from pip._vendor.packaging.utils import canonicalize_name, parse_wheel_filename

HOOK_SECONDS = 600
BUILD_TARGETS = ("manylinux_2_36_x86_64", "manylinux_2_36_aarch64")
# The compilers that a build may look for in vain, by language.
COMPILERS = {
    "C": "cc gcc c++ g++ clang clang++ x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc x86_64-linux-gnu-g++ aarch64-linux-gnu-g++",
    "Rust": "cargo rustc",
    "Fortran": "gfortran f77 f95 flang",
}
RUST_BACKENDS = {"maturin", "setuptools-rust", "puccinialin"}
# How uv says why there is no solution; the group leaves out what uv concludes from that.
NO_SOLUTION = re.compile(r"cause: (?:Because )?(.*?)(?: and you require |, we can conclude|,? and because |\. | hint: |$)")
FORTRAN = re.compile(r"\b(project|add_languages)\s*\([^)]*'fortran'(?![^)]*required\s*:\s*false)", re.S)


class Unusable(Exception):
    """A source that cannot be built, and what it needs or said."""

    def __init__(self, needs="", says=""):
        super().__init__(needs or says)
        self.problem = {"needs": needs, "says": says}


class Idle(Unusable):
    """A source that makes a wheel for one platform and compiles nothing for it."""


class Passing(Unusable):
    """A source that cannot be built here and now: another time it may."""


KINDS = {"Unusable": Unusable, "Idle": Idle}


class Build:
    """The build of one source: what it asks for, and a trial without compilers.

    limits are arguments of uv that limit what is taken of what it asks for, unpack
    returns the directory of the source.
    """

    def __init__(self, package, directory, version, limits, unpack):
        self.key = [package["name"], package["version"], package["sdist"]["hashes"]["sha256"], version]
        self.directory, self.version, self.limits, self.unpack = directory, version, limits, unpack
        self.requires, self.backend, self.locked, self.cxx = [], "", "", False
        # What was locked in turn, and for which requirements.
        self.steps = []

    def prepare(self, trial):
        """Lock what the build and its backend ask for; report whether a trial made a pure wheel.

        What was learnt of the source before holds as long as the same is locked.
        """
        key = [*self.key, self.limits, trial]
        known = cache.learnt(key)
        if not known or not self.repeats(known["steps"]):
            known = self.look(trial)
            cache.learn(key, known)
            cache.remember({name: [self.key[0]] for _, locked in known["steps"] for name in re.findall(r"(?m)^([a-z0-9-]+)==", locked)})
        self.cxx = known["cxx"]
        if known["problem"]:
            raise KINDS[known["kind"]](**known["problem"])
        return known["pure"]

    def repeats(self, steps):
        """Report whether the requirements of a build are still locked to the same files."""
        try:
            return all(self.lock(requires) == locked for requires, locked in steps)
        except Unusable:
            return False

    def look(self, trial):
        """Find out what there is to know of the source."""
        self.steps = []
        try:
            pure = self.learn() and trial and self.pure()
            kind, problem = "", None
        except Passing:
            raise
        except Unusable as e:
            pure, kind, problem = False, type(e).__name__, e.problem
        return {"steps": self.steps, "cxx": self.cxx, "pure": pure, "kind": kind, "problem": problem}

    def learn(self):
        """Lock what the build and its backend ask for, and install it."""
        self.source = self.unpack()
        system = backend.build_system(self.source)
        self.requires, self.backend = system["requires"], system["build-backend"]
        self.cxx = self.has_cxx()
        self.refuse_languages()
        self.install()
        if more := self.asks():
            self.requires = [*self.requires, *more]
            self.refuse_languages()
            self.install()
        return True

    def asks(self):
        """Ask the backend what it needs besides. Some try a compiler first; of those no more is learnt."""
        try:
            return self.hook("get_requires_for_build_wheel")
        except Unusable:
            if not (self.directory / "hook/tried").exists():
                raise
            return []

    def refuse_languages(self):
        from pip._vendor.packaging.requirements import Requirement  # noqa: PLC0415 (it takes long, and few need it)
        names = {canonicalize_name(Requirement(r).name) for r in self.requires}
        if names & RUST_BACKENDS:
            raise Unusable(needs="Rust")
        sources = [p for p in self.source.rglob("*") if not {"test", "tests"} & {*p.relative_to(self.source).parts}]
        meson = self.backend == "mesonpy" and any(FORTRAN.search(p.read_text("utf-8", "replace")) for p in sources if p.name == "meson.build")
        old = "numpy" in names and self.backend.startswith("setuptools") and any(p.suffix in {".f", ".f90", ".pyf"} for p in sources)
        if meson or old:
            raise Unusable(needs="Fortran")

    def has_cxx(self):
        """Report whether the build has C++ to compile, as far as file names say."""
        other = {"test", "tests", "example", "examples", "benchmark", "benchmarks", "docs"}
        return any(p.suffix in {".cc", ".cpp", ".cxx"} and not other & {*p.relative_to(self.source).parts} for p in self.source.rglob("*"))

    def lock(self, requires):
        """Lock requirements as wheels for the build platforms."""
        listed, found = self.directory / "build.in", self.directory / "pylock.build.toml"
        listed.write_text("\n".join(requires))
        found.unlink(missing_ok=True)  # or uv keeps to it when there is more to install
        said = index.compiled(self.version, BUILD_TARGETS, *self.limits, "--only-binary", ":all:", "--format", "pylock.toml",
                              "--output-file", str(found), str(listed), check=False)
        if said:
            why = NO_SOLUTION.search(" ".join(said.split()))
            raise Passing(says="its build requirements cannot be had as wheels: " + (why[1] if why else said))
        self.locked = "".join(build_line(p, self.version) for p in tomllib.loads(found.read_text())["packages"])
        return self.locked

    def install(self):
        """Lock the requirements and install those of this platform."""
        lock, env = self.directory / "build.txt", self.directory / "env"
        lock.write_text(self.lock(self.requires))
        self.steps.append([self.requires, self.locked])
        shutil.rmtree(env, ignore_errors=True)
        stage.venv(env, "/usr", self.version)
        index.uv("pip", "install", "--quiet", "--python", f"{env}/bin/python", "--no-deps", "--require-hashes",
                 "--only-binary", ":all:", "-r", str(lock))

    def hook(self, name, *arguments):
        """Call the backend's hook in a copy of the source; a compiler that it calls is only noted."""
        place = self.directory / "hook"
        work, out, tried = place / "work", place / "hook.json", place / "tried"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.source, work, symlinks=True)
        cache.give(place)
        env = {
            "PATH": f"{self.directory}/bin:{self.directory}/env/bin:/usr/bin:{self.directory}/tools",
            "HOME": str(place), "LANG": "C.UTF-8", "LUCID_TRIED": str(tried), "CC": "cc", "CXX": "c++",
            "PYTHONUNBUFFERED": "1",  # or what it says is out of order
            "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"], **index.OWN_DISTUTILS,
        }
        try:
            done = subprocess.run(backend.hook(self.directory / "env/bin/python", name, arguments, out), cwd=work, env=env, text=True, errors="replace",
                                  timeout=HOOK_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **cache.builder())
        except subprocess.TimeoutExpired:
            raise Passing(says=f"its {name} does not end within {HOOK_SECONDS} s") from None
        if done.returncode:
            raise Unusable(says="its source cannot be built: " + cause.cause(done.stdout))
        return json.loads(out.read_text())

    def pure(self):
        """Build without compilers. A wheel that runs everywhere and that no compiler was asked for is pure."""
        place = self.directory / "hook"
        tried = place / "tried"
        try:
            wheel = self.hook("build_wheel", str(place))
        except Unusable:
            if not tried.exists():
                raise
            wheel = ""
        languages = set(tried.read_text().split()) if tried.exists() else set()
        if not wheel and "Rust" in languages:
            raise Unusable(needs="Rust")
        # Some only look for Fortran, after the trial had no C for them.
        if not wheel and languages == {"Fortran"}:
            raise Unusable(needs="Fortran")
        pure = {t.platform for t in parse_wheel_filename(wheel)[3]} == {"any"} if wheel else False
        if wheel and not pure and not languages and not has_program(place / wheel):
            raise Idle(says="its build compiles nothing")
        return pure and not languages


def has_program(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return any(archive.open(i).read(4) == b"\x7fELF" for i in archive.infolist())


def build_line(package, version):
    """Return the locked line of a build requirement: its wheels for the build platforms."""
    needed = [t for t in BUILD_TARGETS if wanted(package.get("marker"), t, version)]
    if not needed:
        return ""
    missing = without_wheel(package, needed, version)
    if missing:
        raise Passing(says=f"its build requirement {package['name']} {package['version']} has no wheel for {', '.join(missing)}")
    marker = f" ; {package['marker']}" if len(needed) < len(BUILD_TARGETS) else ""
    hashes = sorted(w["hashes"]["sha256"] for w in package["wheels"] if any(fits(file_name(w), t) for t in needed))
    return " \\\n    --hash=sha256:".join([f"{package['name']}=={package['version']}{marker}", *hashes]) + "\n"


def compilers(directory):
    """Put programs with the names of compilers below directory: each notes that it was called, and fails."""
    directory.mkdir()
    for language, names in COMPILERS.items():
        for name in names.split():
            program = directory / name
            program.write_text(f"#!{sys.executable} -S\nimport os, sys\nopen(os.environ['LUCID_TRIED'], 'a').write('{language} ')\n"
                               f"sys.exit('{name}: no compiler here')\n")
            program.chmod(0o755)


def first_usable(builds, trial):
    """Return the first build that works, and whether its wheel is pure; one that compiles nothing if none else works."""
    idle, problems = None, []
    for build in builds:
        try:
            return build, build.prepare(trial)
        except Idle:
            idle = idle or build
        except Unusable as e:
            problems.append(e)
            if e.problem["needs"]:
                break
    if not idle:
        # That setuptools dropped a module says little of a source that does not build with an older one either.
        raise next((p for p in problems if index.PKG_RESOURCES not in p.problem["says"]), problems[0])
    return idle, False


def limits(sdist):
    """Return the limits to build a source with, in the order to try them.

    An old source may know nothing newer than what there was when it was published;
    not every index says when that was.
    """
    published = sdist.get("upload-time")
    if published:
        return [], ["--exclude-newer", (published + timedelta(days=1)).isoformat()]
    return [], ["--constraints", index.old_setuptools()]


def source(package, missing, ask):
    """Find out how to make the wheels that a package lacks, or why that cannot be."""
    result = {"name": package["name"], "version": package["version"], "targets": missing}
    directory = Path(f"/tmp/build/{package['name']}-{package['version']}")
    try:
        if "sdist" not in package:
            raise Unusable(says="it has no source distribution")
        directory.mkdir(parents=True)

        @functools.cache
        def unpack():
            compilers(directory / "bin")
            backend.shell_tools(directory / "tools")
            return index.fetch(package, directory)

        builds = [Build(package, directory, ask["version"], some, unpack) for some in limits(package["sdist"])]
        # The trial lacks the libraries that are named for a package.
        build, pure = first_usable(builds, package["name"] not in ask["libraries"])
    except (Unusable, index.AnotherFile) as e:
        problem = e.problem if isinstance(e, Unusable) else {"needs": "", "says": str(e)}
        return {**result, **problem, "nearest": index.nearest(package, ask["all"], ask["version"])}
    if pure and not package.get("wheels"):
        result["targets"] = ["any"]
    return {**result, "sha256": package["sdist"]["hashes"]["sha256"], "build": build.locked, "cxx": build.cxx and not pure}
