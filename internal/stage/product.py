"""Check the wheel that a build made, and pack it again under the target's own tag, with
the same bytes every time."""

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

from pip._vendor.packaging.version import InvalidVersion, Version

import elf

Wrong = elf.Wrong
TIME = (2000, 1, 1, 0, 0, 0)
MUSL_SYMBOLS = Path("/opt/zig/ziglang/lib/libc/musl/libc.S")


def deliver(dist, name, version, target, libraries, compile_error):
    """Put the one wheel in dist, checked and under the target's tag, into /out.

    target is None for a wheel that runs everywhere; libraries is whether the build had
    any to link with; compile_error is a compiler's error that did not stop it.
    """
    wheels = sorted(dist.iterdir())
    if len(wheels) != 1 or wheels[0].suffix != ".whl":
        raise Wrong(f"its build leaves {', '.join(w.name for w in wheels) or 'nothing'}: not one wheel")
    parts = wheels[0].stem.split("-")
    if len(parts) not in (5, 6):
        raise Wrong(f"{wheels[0].name} is no wheel's name")
    python, abi, platform = parts[-3:]
    check_name(parts, name, version)
    with zipfile.ZipFile(wheels[0]) as archive:
        files = {i.filename: (archive.read(i), i.external_attr >> 16 & 0o111) for i in archive.infolist() if not i.is_dir()}
    programs = {n: data for n, (data, _) in files.items() if elf.is_elf(data)}
    if not programs and compile_error:
        raise Wrong(f"nothing of it was compiled: {compile_error}")
    if not programs and libraries:
        raise Wrong("nothing of it was compiled, though it has libraries to link with")
    tag = checked_tag(platform, programs, target)
    pack(f"/out/{parts[0]}-{parts[1]}-{python}-{abi}-{tag}.whl", files, [f"{p}-{a}-{tag}" for p in python.split(".") for a in abi.split(".")])


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def check_name(parts, name, version):
    try:
        same = Version(parts[1]) == Version(version)
    except InvalidVersion:
        same = False
    if canonical(parts[0]) != name or not same:
        raise Wrong(f"its build makes a wheel of {canonical(parts[0])} {parts[1]}")


def checked_tag(platform, programs, target):
    """Return the platform tag that the wheel gets."""
    if platform == "any":
        for name in programs:
            raise Wrong(f"its wheel is tagged any, and {name} is compiled")
        return platform
    if target is None:
        raise Wrong(f"its wheel is tagged {platform}; the lock says that it runs everywhere")
    families = {"glibc": "linux|manylinux", "musl": "linux|musllinux"}[target.libc]
    for tag in platform.split("."):
        if not re.fullmatch(rf"({families})(\d|_)*_{target.machine}", tag):
            raise Wrong(f"its wheel is tagged {tag}")
    symbols = set(re.findall(r"^(\w+):$", MUSL_SYMBOLS.read_text(), re.M)) if target.libc == "musl" else set()
    elf.check(programs, target.libc, target.machine, symbols)
    for name in programs:
        suffix = re.search(r"\.cpython-.*\.so$", name)
        own = f".{sys.implementation.cache_tag}-{target.machine}-linux-{'gnu' if target.libc == 'glibc' else 'musl'}.so"
        if suffix and suffix[0] != own:
            raise Wrong(f"{name} is named for another interpreter than {own}")
    return target.tag


def pack(path, files, tags):
    """Write the wheel: sorted, with fixed times and modes, and with true RECORD."""
    record = next((n for n in files if re.fullmatch(r"[^/]+\.dist-info/RECORD", n)), None)
    if record is None:
        raise Wrong("its wheel has no RECORD")
    about = record.replace("RECORD", "WHEEL")
    lines = [line for line in files[about][0].decode().strip().splitlines() if not line.startswith(("Tag:", "Build:"))]
    files[about] = ("\n".join([*lines, *(f"Tag: {t}" for t in sorted(tags))]) + "\n").encode(), 0
    listed = []
    for name in sorted(files):
        if name not in (record, record + ".jws", record + ".p7s"):
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name][0]).digest()).rstrip(b"=").decode()
            listed.append(f"{quoted(name)},sha256={digest},{len(files[name][0])}\n")
    files[record] = ("".join(listed) + f"{quoted(record)},,\n").encode(), 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for name in sorted(files, key=lambda n: (".dist-info/" in n, n)):
            data, executable = files[name]
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            out.writestr(entry, data)


def quoted(name):
    """Write a name as CSV does."""
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name
