"""Resolve lists of packages to versions and hashes, and find out what has to be
built from source.

The index is asked by uv and pip alone. What a source needs is learnt from its
own build backend, which sees an environment of its own.
"""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path[:0] = ["/lucid", *map(str, Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))]

from pip._internal.cli.cmdoptions import make_target_python  # noqa: E402
from pip._internal.commands import create_command  # noqa: E402
from pip._internal.utils.unpacking import unpack_file  # noqa: E402
from pip._vendor.packaging import tags  # noqa: E402
from pip._vendor.packaging.markers import Marker  # noqa: E402
from pip._vendor.packaging.requirements import Requirement  # noqa: E402
from pip._vendor.packaging.utils import canonicalize_name, parse_wheel_filename  # noqa: E402
from pip._vendor.packaging.version import Version  # noqa: E402

import stage  # noqa: E402

PYTHON = (3, 11)
HOOK_SECONDS = 600
BUILD_TARGETS = ("manylinux_2_36_x86_64", "manylinux_2_36_aarch64")
# manylinux1, 2010 and 2014 are other names of these (PEP 600).
OLD_NAMES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
# Debian has no distutils; setuptools before 60 takes its own only when told.
OWN_DISTUTILS = {"SETUPTOOLS_USE_DISTUTILS": "local"}
# What old sources say to a setuptools that has it no more: 82 and newer.
PKG_RESOURCES = "No module named 'pkg_resources'"
# What a build may look for in vain, by the name of what it is written in.
COMPILERS = {
    "C": "cc gcc c++ g++ clang clang++ x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc x86_64-linux-gnu-g++ aarch64-linux-gnu-g++",
    "Rust": "cargo rustc",
    "Fortran": "gfortran f77 f95 flang",
}
RUST_BACKENDS = {"maturin", "setuptools-rust", "puccinialin"}
FORTRAN = re.compile(r"\b(project|add_languages)\s*\([^)]*'fortran'(?![^)]*required\s*:\s*false)", re.S)
ERROR = re.compile(r"(\w+\.)*\w*(Error|Exception)\b|error\b", re.I)
HOOK = """
import importlib, json, os, sys
backend, paths, hook, out, arguments = json.loads(sys.argv[1])
sys.path[:0] = [os.path.abspath(p) for p in paths] or ([""] if backend.endswith(":__legacy__") else [])
name, _, attributes = backend.partition(":")
found = importlib.import_module(name)
for attribute in filter(None, attributes.split(".")):
    found = getattr(found, attribute)
call = getattr(found, hook, None)
result = call(*arguments) if call else []
with open(out, "w") as f:
    json.dump(result, f)
"""


class Unusable(Exception):
    """A source that cannot be built, and what it needs or said."""

    def __init__(self, needs="", says=""):
        super().__init__(needs or says)
        self.problem = {"needs": needs, "says": says}


def platforms(target):
    """Give the platform tags of wheels that a target runs, the best first."""
    kind, minor, machine = re.fullmatch(r"(\w+linux)_\d+_(\d+)_(\w+)", target).groups()
    if kind == "musllinux":
        return [f"musllinux_1_{m}_{machine}" for m in range(int(minor), -1, -1)] + [f"linux_{machine}"]
    found = []
    for m in range(int(minor), 4 if machine == "x86_64" else 16, -1):
        found += [f"manylinux_2_{m}_{machine}"] + [f"{name}_{machine}" for n, name in OLD_NAMES.items() if n == m]
    return found + [f"linux_{machine}"]


def fits(wheel, target):
    """Tell whether a wheel's file name is one that the target runs."""
    here = platforms(target)
    known = {*tags.cpython_tags(PYTHON, ["cp311"], here), *tags.compatible_tags(PYTHON, "cp311", here)}
    try:
        return bool(known & parse_wheel_filename(wheel)[3])
    except ValueError:  # a name from before the rules: no installer takes it
        return False


def wanted(marker, target, version):
    """Tell whether a marker holds on the target."""
    return not marker or Marker(marker).evaluate({
        "implementation_name": "cpython", "implementation_version": version, "os_name": "posix",
        "platform_machine": target.removeprefix("manylinux_2_36_").removeprefix("musllinux_1_2_"),
        "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux",
        "platform_version": "", "python_full_version": version, "python_version": "3.11",
        "sys_platform": "linux", "extra": "",
    })


def file_name(item):
    return item.get("name") or unquote(urlsplit(item["url"]).path.rsplit("/", 1)[-1])


def without_wheel(package, targets, version):
    """Give the targets that need the package and that none of its wheels fits."""
    wheels = [file_name(w) for w in package.get("wheels", [])]
    needed = [t for t in targets if wanted(package.get("marker"), t, version)]
    return [t for t in needed if not any(fits(w, t) for w in wheels)]


@functools.cache
def bundle():
    return stage.trust()


def uv(*arguments, check=True):
    """Run uv and give what it said in case of failure."""
    env = {**os.environ, "SSL_CERT_FILE": bundle(), "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "UV_CACHE_DIR": "/tmp/uv",
           **OWN_DISTUTILS}
    done = subprocess.run(["/opt/uv/bin/uv", *arguments], env=env, stderr=subprocess.PIPE, text=True)
    if done.returncode and check:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    return (done.stderr.strip() or "uv says nothing") if done.returncode else ""


def compiled(version, *arguments, check=True):
    """Run uv pip compile and give what it said in case of failure."""
    command = ["pip", "compile", "--quiet", "--universal", "--python", sys.executable, "--python-version", version,
               "--generate-hashes", "--no-header", "--no-annotate", *arguments]
    said = uv(*command, check=False)
    if PKG_RESOURCES in said:
        old = Path("/tmp/setuptools.txt")
        old.write_text("setuptools < 82")
        said = uv(*command, "--build-constraints", str(old), check=False)
    if said and check:
        sys.exit(said)
    return said


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
    command = create_command("download")
    options, _ = command.parse_args(["--dest=/tmp/none", f"--cert={bundle()}", "--no-cache-dir"])
    return command._build_session(options)


def fetch(package, directory):
    """Unpack a source distribution below directory, checked by its hash."""
    sdist = package["sdist"]
    archive = directory / file_name(sdist)
    with session() as asking:
        answer = asking.get(sdist["url"], headers={"Accept-Encoding": "identity"})
        answer.raise_for_status()
    if hashlib.sha256(answer.content).hexdigest() != sdist["hashes"]["sha256"]:
        raise Unusable(says=f"{archive.name} is another file than the index says")
    archive.write_bytes(answer.content)
    unpack_file(str(archive), str(directory / "source"))
    return directory / "source"


def reason(log):
    """Give the line of a failed build that says why: its last error, or else its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["no word why"]
    return next((line for line in reversed(lines) if ERROR.match(line)), lines[-1])


class Build:
    """The build of one source: what it asks for, and a trial without compilers."""

    def __init__(self, source, directory, version):
        self.source, self.directory, self.version = source, directory, version
        file = source / "pyproject.toml"
        system = tomllib.loads(file.read_text("utf-8")).get("build-system", {}) if file.exists() else {}
        # The defaults are PEP 517's.
        self.requires = system.get("requires", ["setuptools >= 40.8.0", "wheel"])
        self.backend = system.get("build-backend", "setuptools.build_meta:__legacy__")
        self.path = system.get("backend-path", [])
        self.locked = ""

    def prepare(self, trial):
        """Lock what the build and its backend ask for; tell whether a trial gave a pure wheel."""
        self.refuse_languages()
        self.install()
        more = self.hook("get_requires_for_build_wheel")
        if more:
            self.requires = [*self.requires, *more]
            self.refuse_languages()
            self.install()
        return trial and self.pure()

    def refuse_languages(self):
        names = {canonicalize_name(Requirement(r).name) for r in self.requires}
        if names & RUST_BACKENDS:
            raise Unusable(needs="Rust")
        sources = [p for p in self.source.rglob("*") if not {"test", "tests"} & {*p.relative_to(self.source).parts}]
        meson = self.backend == "mesonpy" and any(FORTRAN.search(p.read_text("utf-8", "replace")) for p in sources if p.name == "meson.build")
        old = "numpy" in names and self.backend.startswith("setuptools") and any(p.suffix in {".f", ".f90", ".pyf"} for p in sources)
        if meson or old:
            raise Unusable(needs="Fortran")

    def cxx(self):
        """Tell whether the build has C++ to compile, as far as file names say."""
        other = {"test", "tests", "example", "examples", "benchmark", "benchmarks", "docs"}
        return any(p.suffix in {".cc", ".cpp", ".cxx"} and not other & {*p.relative_to(self.source).parts} for p in self.source.rglob("*"))

    def install(self):
        """Lock the requirements as wheels for the build platforms and install those of this one."""
        listed, found, site = (self.directory / name for name in ("build.in", "pylock.build.toml", "site"))
        listed.write_text("\n".join(self.requires))
        said = compiled(self.version, "--only-binary", ":all:", "--format", "pylock.toml", "--output-file", str(found),
                        str(listed), check=False)
        if said:
            raise Unusable(says="its build requirements: " + " ".join(said.split()))
        self.locked = "".join(build_line(p, self.version) for p in tomllib.loads(found.read_text())["packages"])
        lock = self.directory / "build.txt"
        lock.write_text(self.locked)
        shutil.rmtree(site, ignore_errors=True)
        uv("pip", "install", "--quiet", "--python", sys.executable, "--target", str(site), "--no-deps", "--require-hashes",
           "--only-binary", ":all:", "-r", str(lock))

    def hook(self, name, *arguments):
        """Call the backend's hook in a copy of the source; a compiler that it calls is only noted."""
        work, out, tried = (self.directory / n for n in ("work", "hook.json", "tried"))
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.source, work, symlinks=True)
        env = {
            "PATH": f"{self.directory}/bin:{self.directory}/site/bin:/usr/bin", "PYTHONPATH": f"{self.directory}/site",
            "HOME": str(self.directory), "LANG": "C.UTF-8", "LUCID_TRIED": str(tried), "CC": "cc", "CXX": "c++",
            "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"], **OWN_DISTUTILS,
        }
        call = json.dumps([self.backend, self.path, name, str(out), arguments])
        try:
            done = subprocess.run([sys.executable, "-c", HOOK, call], cwd=work, env=env, text=True, errors="replace",
                                  timeout=HOOK_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            raise Unusable(says=f"its {name} does not end within {HOOK_SECONDS} s") from None
        if done.returncode:
            raise Unusable(says="its source cannot be built: " + reason(done.stdout))
        return json.loads(out.read_text())

    def pure(self):
        """Build without compilers. A wheel that runs everywhere and that no compiler was asked for is pure."""
        tried = self.directory / "tried"
        tried.unlink(missing_ok=True)
        try:
            wheel = self.hook("build_wheel", str(self.directory))
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
        return not languages and {t.platform for t in parse_wheel_filename(wheel)[3]} == {"any"}


def build_line(package, version):
    """Give the locked line of a build requirement: its wheels for the build platforms."""
    needed = [t for t in BUILD_TARGETS if wanted(package.get("marker"), t, version)]
    if not needed:
        return ""
    missing = without_wheel(package, needed, version)
    if missing:
        raise Unusable(says=f"its build requirement {package['name']} {package['version']} has no wheel for {', '.join(missing)}")
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


def source(package, missing, ask):
    """Say how to make the wheels that are missing of a package, or why that cannot be."""
    result = {"name": package["name"], "version": package["version"], "targets": missing}
    directory = Path(f"/tmp/build/{package['name']}-{package['version']}")
    try:
        if "sdist" not in package:
            raise Unusable(says="it has no source distribution")
        directory.mkdir(parents=True)
        compilers(directory / "bin")
        build = Build(fetch(package, directory), directory, ask["version"])
        # The trial lacks the libraries that are named for a package.
        trial = package["name"] not in ask["libraries"]
        try:
            pure = build.prepare(trial)
        except Unusable as e:
            if PKG_RESOURCES not in str(e):
                raise
            build.requires.append("setuptools < 82")
            pure = build.prepare(trial)
    except Unusable as e:
        return {**result, **e.problem, "nearest": nearest(package, ask["all"])}
    if pure and not package.get("wheels"):
        result["targets"] = ["any"]
    return {**result, "sha256": package["sdist"]["hashes"]["sha256"], "build": build.locked, "cxx": build.cxx() and not pure}


def nearest(package, targets):
    """Give the version closest to the locked one that has a wheel for every target, or nothing."""
    sets = [versions(package["name"], t) for t in targets]
    own = Version(package["version"])
    common = sorted(set.intersection(*sets))
    stable = [v for v in common if not v.is_prerelease or own.is_prerelease]
    newer = [v for v in stable if v > own]
    return str(next(iter(newer), stable[-1] if stable else ""))


def versions(name, target):
    """Ask the index through pip for the versions that have a wheel for a target."""
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--abi=cp311", "--abi=abi3",
                                     "--abi=none", "--dest=/tmp/none", *[f"--platform={p}" for p in platforms(target)]])
    with session() as asking:
        finder = command._build_package_finder(options, asking, target_python=make_target_python(options))
        return {Version(str(c.version)) for c in finder.find_all_candidates(name) if not c.link.is_yanked}


def resolve(ask):
    """Resolve each list within the versions of the one before."""
    constraints = []
    for item in ask["lists"]:
        out, found = f"/out/{item['name']}.lock.txt", f"/tmp/pylock.{item['name']}.toml"
        result = {"sources": []}
        result["error"] = compiled(ask["version"], *constraints, "--output-file", out, f"/locks/{item['file']}", check=not ask["explain"])
        if result["error"]:
            Path(out).touch()
        else:
            constraints = ["--constraints", out]
            compiled(ask["version"], *constraints, "--format", "pylock.toml", "--output-file", found, f"/locks/{item['file']}")
            packages = tomllib.loads(Path(found).read_text())["packages"]
            missing = [(p, without_wheel(p, item["targets"], ask["version"])) for p in packages]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                jobs = [pool.submit(source, p, m, {**ask, "all": item["targets"]}) for p, m in missing if m]
                result["sources"] = [job.result() for job in jobs]
        Path(f"/out/{item['name']}.json").write_text(json.dumps(result))


def main():
    ask = json.loads(Path("/locks/ask.json").read_text())
    found = {name: tool(name) for name in ask["tools"]}
    Path("/out/tools.json").write_text(json.dumps(found))
    if found:
        uv_version = found["uv"][platform.machine()]["version"]
        stage.pip("install", "--no-compile", "--target", "/opt/uv", "uv==" + uv_version)
    resolve(ask)


if __name__ == "__main__":
    os.umask(0o022)
    stage.one_index()
    main()
