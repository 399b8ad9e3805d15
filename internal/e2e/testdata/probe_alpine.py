"""The minimal tier on musl."""

import importlib
import locale
import os
import subprocess
import sys

from harness import check, main, without

importlib.import_module("probe_minimal")  # its checks come first
# Of the libraries that only some builds of Python are linked to.
without("locale", "readline", "databases")


@check("musl-locale")
def musl_locale():
    # musl has one locale with a character set, and no other categories.
    locale.setlocale(locale.LC_ALL, "")
    assert locale.setlocale(locale.LC_CTYPE) == "C.UTF-8", locale.setlocale(locale.LC_CTYPE)
    assert locale.getpreferredencoding(False).upper() == "UTF-8"
    assert sys.getfilesystemencoding() == "utf-8"


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
