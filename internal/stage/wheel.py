"""Make a wheel of a source distribution for a target, without running a program
of the target: the steps are called fetch, environment, compiler, runtime and build.

fetch, environment and compiler load what the lock names, by hash. runtime and
build have no network, and write to their own directories and /tmp alone.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PIP = str(next(Path("/pip/usr/share/python-wheels").glob("pip-*.whl")))
sys.path[:0] = ["/wheel", "/lucid", PIP]

import backend  # noqa: E402
import cause  # noqa: E402
import stage  # noqa: E402

BUILD = Path("/build")
SOURCE = BUILD / "source"
ENV = Path("/env")
HEADERS = Path("/headers")
RUNTIME = "/runtime"
# The engine keeps what stands between these two for the log file that it names.
LOG_BEGIN, LOG_END = "\x1e", "\x1f"
# An engine drops what a step says faster than this.
LOG_CHUNK, LOG_PAUSE, LOG_LIMIT = 64 << 10, 0.5, 1 << 20


class Target:
    """What a wheel is compiled for."""

    def __init__(self, tag):
        self.tag = tag
        family, self.machine = re.fullmatch(r"(manylinux|musllinux)_\d+_\d+_(\w+)", tag).groups()
        self.libc = {"manylinux": "glibc", "musllinux": "musl"}[family]
        glibc = ".".join(tag.split("_")[1:3])
        self.zig = f"{self.machine}-linux-" + (f"gnu.{glibc}" if self.libc == "glibc" else "musl")


def fetch(name, version, sha256):
    """Unpack a source distribution to /build/source, without running any of it."""
    from pip._internal.commands.download import DownloadCommand
    from pip._internal.exceptions import CommandError
    from pip._internal.network.download import Downloader
    from pip._internal.operations.prepare import get_file_url, get_http_url
    from pip._internal.utils.unpacking import unpack_file
    from pip._vendor.packaging.specifiers import SpecifierSet

    class Fetch(DownloadCommand):
        """pip download prepares a source's metadata, which runs its build script
        (https://github.com/pypa/pip/issues/1884)."""

        def run(self, options, args):
            session = self.get_default_session(options)
            finder = self._build_package_finder(options, session)
            found = finder.find_best_candidate(name, SpecifierSet(f"=={version}", prereleases=True)).iter_applicable()
            links = [c.link for c in found]
            link = next((link for link in links if link.hash == sha256), links[0] if links else None)
            if link is None:
                raise CommandError(f"{name} {version}: the index has no source distribution of this version")
            file = get_file_url(link) if link.is_file else get_http_url(link, Downloader(session, "off"))
            got = hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
            if got != sha256:
                raise CommandError(f"{name} {version}: the source distribution's SHA-256 is {got}, the lock says {sha256}")
            unpack_file(file.path, str(SOURCE), file.content_type)
            return 0

    os.environ.update(PIP_CERT=stage.trust(), PIP_NO_CACHE_DIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    code = Fetch("download", "").main(["--quiet", "--no-binary=:all:", "--no-deps", name])
    if code:
        sys.exit(code)
    stage.settle(str(BUILD))


def environment(requirements):
    """Make a virtual environment at /env with what a build needs."""
    stage.venv(ENV, "/usr", platform.python_version())
    if Path(requirements).read_text():
        stage.uv("pip", "install", "--quiet", "--python", "/env/bin/python", "--no-deps", "--require-hashes",
                 "--only-binary", ":all:", "--link-mode", "copy", "-r", requirements)
    (ENV / ".lock").unlink(missing_ok=True)
    stage.settle(str(ENV))


def compiler(requirements):
    """Install zig by its hash."""
    stage.uv("pip", "install", "--quiet", "--python", sys.executable, "--target", "/opt/zig", "--no-deps",
             "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", "-r", requirements)
    (Path("/opt/zig") / ".lock").unlink(missing_ok=True)
    stage.settle("/opt/zig")


def runtime(tag, language):
    """Have zig make what every library of a language is linked with."""
    source = BUILD / ("nothing.c" if language == "c" else "nothing.cpp")
    source.write_text("int nothing(void) { return 0; }\n")
    tools = toolchain(Target(tag), [])
    command = tools["CC" if language == "c" else "CXX"]
    done = subprocess.run([command, "-shared", "-o", "nothing.so", source.name], cwd=BUILD, env=base_environment() | tools)
    if done.returncode:
        sys.exit(done.returncode)


def base_environment():
    """Return what a build sees of this step's environment, and no more."""
    return {
        "PATH": f"{BUILD}/bin:{ENV}/bin:/usr/bin:{BUILD}/tools", "HOME": str(BUILD / "home"), "TMPDIR": "/tmp", "LANG": "C.UTF-8",
        "SOURCE_DATE_EPOCH": str(stage.EPOCH), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "VIRTUAL_ENV": str(ENV),
        # Debian has no distutils; setuptools before 60 uses its own only if this says so.
        "SETUPTOOLS_USE_DISTUTILS": "local",
    }


def toolchain(target, includes):
    """Lay out the compilers' names; return the variables by which builds find them."""
    names = BUILD / "bin"
    names.mkdir()
    triplet = f"{target.machine}-linux-gnu"
    for name in ("cc", "gcc", "clang", "c++", "g++", "clang++", "ar", "ranlib", "ld", f"{triplet}-gcc", f"{triplet}-g++", f"{triplet}-ar"):
        (names / name).symlink_to("/wheel/cc.py")
    cc, cxx = f"{names}/cc", f"{names}/c++"
    return {
        "CC": cc, "CXX": cxx, "CPP": f"{cc} -E", "AR": f"{names}/ar", "RANLIB": f"{names}/ranlib",
        "LDSHARED": f"{cc} -shared", "LDCXXSHARED": f"{cxx} -shared",
        "LUCID_TARGET": target.zig, "LUCID_INCLUDE": ":".join(map(str, includes)), "LUCID_LIBRARIES": str(BUILD / "lib"),
        "ZIG_GLOBAL_CACHE_DIR": RUNTIME, "ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig"),
    }


def sysroot(target):
    """Gather the target's headers and archives; return the directories of headers."""
    python = BUILD / "include"
    shutil.copytree(HEADERS / "python/usr/include" / stage.PYTHON, python)
    own = HEADERS / "python/usr/include" / f"{target.machine}-linux-gnu" / stage.PYTHON / "pyconfig.h"
    shutil.copyfile(next((HEADERS / "interpreter").rglob("pyconfig.h"), own), python / "pyconfig.h")
    includes, archives = [python], BUILD / "lib"
    archives.mkdir()
    for package in sorted((HEADERS / "libraries").glob("*")):
        includes += [package / "usr/include" / f"{target.machine}-linux-gnu", package / "usr/include"]
        for archive in sorted(package.glob("usr/lib/*/*.a")):
            (archives / archive.name).symlink_to(archive)
    for pic in archives.glob("*_pic.a"):  # Debian's name of what a shared library can be made of
        plain = archives / pic.name.replace("_pic.a", ".a")
        plain.unlink(missing_ok=True)
        plain.symlink_to(pic.resolve())
    return [i for i in includes if i.is_dir()]


def interpreter(target, include):
    """Make Python report the target's platform as its own; return the variables for that."""
    found = sorted(p for p in (HEADERS / "interpreter").rglob("_sysconfigdata__*.py") if not p.is_symlink())
    if len(found) != 1:
        sys.exit(f"error: {len(found)} modules of sysconfig data for {target.tag}")
    own = BUILD / "python"
    own.mkdir()
    shutil.copyfile(found[0], own / found[0].name)
    # packaging asks this module which tags fit, before it asks the running libc (PEP 600).
    (own / "_manylinux.py").write_text("def manylinux_compatible(*_):\n    return False\n")
    (own / "sitecustomize.py").write_text(
        "import os, sysconfig\n"
        "here = os.uname()\n"
        f"os.uname = lambda: os.uname_result((*here[:4], {target.machine!r}))\n"
        "for scheme in sysconfig._INSTALL_SCHEMES.values():\n"
        f"    scheme['include'] = scheme['platinclude'] = {str(include)!r}\n"
    )
    return {
        "PYTHONPATH": str(own), "_PYTHON_HOST_PLATFORM": f"linux-{target.machine}",
        "_PYTHON_SYSCONFIGDATA_NAME": found[0].stem,
    }


def cmake(target, tools):
    """Return the variables by which CMake compiles for the target."""
    file = BUILD / "target.cmake"
    file.write_text(
        f"set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR {target.machine})\n"
        f"set(CMAKE_C_COMPILER {tools['CC']})\nset(CMAKE_CXX_COMPILER {tools['CXX']})\n"
        f"set(CMAKE_AR {tools['AR']})\nset(CMAKE_RANLIB {tools['RANLIB']})\n"
    )
    return {"CMAKE_TOOLCHAIN_FILE": str(file)}


def meson(target, tools):
    """Return the settings by which Meson compiles for the target."""
    file = BUILD / "target.ini"
    file.write_text(
        f"[binaries]\nc = '{tools['CC']}'\ncpp = '{tools['CXX']}'\nar = '{tools['AR']}'\n"
        f"[properties]\nneeds_exe_wrapper = true\n"
        f"[host_machine]\nsystem = 'linux'\ncpu_family = '{target.machine}'\ncpu = '{target.machine}'\nendian = 'little'\n"
    )
    return {"mesonpy": {"setup-args": [f"--cross-file={file}"]}}


def autoconf(target):
    """Return the variable by which configure scripts compile for the target."""
    file = BUILD / "config.site"
    file.write_text(f"cross_compiling=yes\nhost_alias={target.machine}-linux-{'gnu' if target.libc == 'glibc' else 'musl'}\n")
    return {"CONFIG_SITE": str(file)}


def build(name, version, tag):
    """Build the wheel, check it and leave it in /out."""
    import product

    env, settings, target = base_environment(), {}, None
    if tag != "any":
        target = Target(tag)
        includes = sysroot(target)
        tools = toolchain(target, includes)
        env |= tools | interpreter(target, includes[0]) | cmake(target, tools) | autoconf(target)
        settings = meson(target, tools)
    dist, log = BUILD / "dist", Path("/tmp/build.log")
    dist.mkdir()
    (BUILD / "home").mkdir()
    backend.shell_tools(BUILD / "tools")
    with log.open("wb") as out:
        done = subprocess.run(backend.hook(ENV / "bin/python", "build_wheel", [str(dist)], "/tmp/hook.json", settings),
                              cwd=SOURCE, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    said = log.read_text("utf-8", "replace")
    try:
        if done.returncode:
            raise product.Wrong(reason(said))
        libraries = (HEADERS / "libraries").exists() and any((HEADERS / "libraries").iterdir())
        product.deliver(dist, name, version, target, libraries, cause.tool_error(said))
    except product.Wrong as e:
        write_log(said)
        sys.exit(f"error: {name} {version} for {tag}: {e}")
    stage.settle("/out")


NO_NETWORK = re.compile(r"name resolution|Name or service not known|Network is unreachable|resolve host|ConnectionRefusedError|getaddrinfo")
READ_ONLY = re.compile(r"Read-only file system.*")


def reason(said):
    """Say in one line why a build failed."""
    if NO_NETWORK.search(said):
        return f"its build asks for the network, and there is none: {cause.cause(said)}"
    if outside := READ_ONLY.search(said):
        return f"its build writes outside its directory: {outside[0]}"
    return cause.cause(said)


def write_log(said):
    """Write the log for the engine's log file, no faster than an engine reads."""
    said = said if len(said) <= LOG_LIMIT else said[:LOG_LIMIT // 2] + "\n...\n" + said[-LOG_LIMIT // 2:]
    sys.stderr.write(LOG_BEGIN)
    for at in range(0, len(said), LOG_CHUNK):
        sys.stderr.write(said[at:at + LOG_CHUNK])
        sys.stderr.flush()
        time.sleep(LOG_PAUSE if len(said) > LOG_CHUNK else 0)
    sys.stderr.write(LOG_END + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    os.umask(0o022)
    stage.one_index()
    commands = {"fetch": fetch, "environment": environment, "compiler": compiler, "runtime": runtime, "build": build}
    commands[sys.argv[1]](*sys.argv[2:])
