"""Every module of python.org's Python 3.11, and the data that some of them need."""

import contextlib
import importlib
import importlib.util
import io
import os

from harness import check, main

MUSL = os.path.exists("/lib/apk/db/installed") or os.path.exists("/usr/lib/apk/db/installed")

# What no image has, and why; a name stands for what is below it, too.
ABSENT = {
    "for macOS": ["_scproxy"],
    "for Windows": [
        "_msi", "_overlapped", "_winapi", "msilib", "msvcrt", "nt", "winreg", "winsound", "asyncio.windows_events",
        "asyncio.windows_utils", "distutils._msvccompiler", "distutils.msvc9compiler", "encodings.mbcs", "encodings.oem",
        "multiprocessing.popen_spawn_win32",
    ],
    "need a screen": ["_tkinter", "idlelib", "tkinter", "turtle", "turtledemo"],
    "installs packages: an image is not changed while it runs": ["ensurepip"],
    "broken in every Python 3.11: it imports pgen2": ["lib2to3.pgen2.conv"],
}
# What Debian leaves out besides.
DEBIAN = {"for macOS": ["ctypes.macholib"]}
# Extension modules that a Python for musl may have been built without, as the
# stand-in of the tests was. The official image has them.
OPTIONAL = {"_curses", "_curses_panel", "_dbm", "_gdbm", "nis", "readline"}


def _error(name):
    """Returns why a module cannot be imported, or what it lacks, or nothing."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # "this" has something to say
            if not name.endswith("__main__"):
                importlib.import_module(name)
            elif importlib.util.find_spec(name) is None:
                return "not found"
    except Exception as error:
        return error
    return None


@check("standard-library")
def standard_library():
    with open(os.path.join(os.path.dirname(__file__), "stdlib.txt")) as file:
        names = [line.strip() for line in file if not line.startswith("#")]
    assert len(names) > 800, len(names)
    lost = {name: error for name in names if (error := _error(name))}
    if MUSL:
        lost = {name: error for name, error in lost.items() if not _optional(error)}
    known = {name for group in [ABSENT, {} if MUSL else DEBIAN] for names in group.values() for name in names}
    excused = {name: next((k for k in known if f"{name}.".startswith(f"{k}.")), None) for name in lost}
    assert None not in excused.values(), {name: repr(lost[name]) for name, why in excused.items() if not why}
    assert known == set(excused.values()), f"there after all: {known - set(excused.values())}"


def _optional(error):
    needs = getattr(error, "name", None)
    return needs in OPTIONAL and importlib.util.find_spec(needs) is None


@check("terminfo")
def terminfo():
    if MUSL and importlib.util.find_spec("_curses") is None:
        return
    import curses

    # Whatever the first call of a process finds stays: a process for each.
    for term in "xterm xterm-256color screen screen-256color tmux tmux-256color linux vt100 vt220 rxvt ansi dumb".split():
        child = os.fork()
        if child == 0:
            try:
                curses.setupterm(term, os.open("/dev/null", os.O_WRONLY))
                os._exit(0 if term == "dumb" or curses.tigetstr("cup") else 3)
            except curses.error:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0, term


@check("lib2to3-and-distutils")
def lib2to3_and_distutils():
    """Source is read and written again by lib2to3, and options by distutils."""
    from distutils.util import strtobool
    from lib2to3 import pgen2, pygram, pytree

    driver = pgen2.driver.Driver(pygram.python_grammar, convert=pytree.convert)
    assert str(driver.parse_string("print 1\n")) == "print 1\n"
    assert strtobool("yes") == 1


@check("find-library")
def find_library():
    """The module that docs/running.md shows makes find_library work."""
    import ctypes.util

    assert ctypes.util.find_library("ssl") is None, "docs/running.md says otherwise"
    importlib.import_module("find_library")
    for name in ("ssl", "crypto", "z"):
        assert ctypes.CDLL(ctypes.util.find_library(name)), name
    assert ctypes.util.find_library("nosuch") is None


if __name__ == "__main__":
    main()
