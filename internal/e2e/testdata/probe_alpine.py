"""The minimal tier on musl, and every module of the standard library."""

import importlib
import importlib.util
import locale
import os
import pkgutil
import subprocess
import sys

from harness import check, main, without

importlib.import_module("probe_minimal")  # its checks come first
# Of the libraries that only some builds of Python are linked to; see "modules".
without("locale", "readline", "stdlib")

# Extension modules that a build of Python may have been made without.
OPTIONAL = {"_curses", "_dbm", "_gdbm", "nis", "readline"}
# What only Windows has, does something when it is imported, or is broken in every
# Python 3.11 ("import pgen2").
APART = {
    "antigravity", "this", "asyncio.windows_events", "asyncio.windows_utils", "ctypes.wintypes", "encodings.mbcs",
    "encodings.oem", "multiprocessing.popen_spawn_win32", "lib2to3.pgen2.conv", "msilib", "distutils.msvc9compiler",
    "distutils.msvccompiler", "distutils._msvccompiler", "distutils.command.bdist_msi",
}


@check("musl-locale")
def musl_locale():
    # musl has one locale with a character set, and no other categories.
    locale.setlocale(locale.LC_ALL, "")
    assert locale.setlocale(locale.LC_CTYPE) == "C.UTF-8", locale.setlocale(locale.LC_CTYPE)
    assert locale.getpreferredencoding(False).upper() == "UTF-8"
    assert sys.getfilesystemencoding() == "utf-8"


def _modules():
    """Every module of the standard library that this image has."""
    stdlib = os.path.dirname(os.__file__)
    assert stdlib == "/usr/local/lib/python3.11", stdlib
    places = [stdlib, os.path.join(stdlib, "lib-dynload")]
    for module in pkgutil.walk_packages(places, onerror=lambda name: None):
        yield module.name
    yield from sys.builtin_module_names


@check("modules")
def modules():
    names = sorted(set(_modules()) - APART)
    assert len(names) > 500, len(names)
    lost = {}
    for name in names:
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            needs = getattr(error, "name", None)
            if needs not in OPTIONAL or importlib.util.find_spec(needs):
                lost[name] = repr(error)
    assert not lost, lost


@check("musl")
def musl():
    loader = [name for name in os.listdir("/lib") if name.startswith("ld-musl-")]
    assert len(loader) == 1, loader
    with open("/proc/self/maps") as maps:
        assert loader[0] in maps.read()
    assert not os.path.exists("/bin/sh") and not os.path.exists("/bin/busybox")
    try:
        subprocess.run("true", shell=True, check=True)
    except FileNotFoundError:
        return
    raise AssertionError("there is a shell")


@check("packages-listed")
def packages_listed():
    with open("/lib/apk/db/installed") as database:
        names = [line[2:].strip() for line in database if line.startswith("P:")]
    assert "musl" in names and "ca-certificates-bundle" in names, names
    assert not {"busybox", "apk-tools"} & set(names), names


if __name__ == "__main__":
    main()
