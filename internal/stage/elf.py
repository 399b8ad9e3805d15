"""Check that a program or library of a wheel runs on the wheel's target.

A small reader of 64-bit little-endian ELF files; names and numbers are those of
the ELF specification and of its GNU extensions.
"""

import re
import struct

MACHINES = {"x86_64": 62, "aarch64": 183}
LOADERS = {
    ("glibc", "x86_64"): "ld-linux-x86-64.so.2", ("glibc", "aarch64"): "ld-linux-aarch64.so.1",
    ("musl", "x86_64"): "ld-musl-x86_64.so.1", ("musl", "aarch64"): "ld-musl-aarch64.so.1",
}
# The libraries of a libc that an image surely has.
GLIBC = {f"lib{name}" for name in (
    "c.so.6", "m.so.6", "pthread.so.0", "dl.so.2", "rt.so.1", "util.so.1", "resolv.so.2", "gcc_s.so.1", "stdc++.so.6",
)}
# musl's loader knows these names for itself.
MUSL = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet|crypt)\.so|libc\.musl-\w+\.so\.1")
PAGE = {"x86_64": 4096, "aarch64": 16384}  # a Raspberry Pi 5 has pages of 16 KiB
NEWEST_GLIBC = (2, 36)
ET_REL, PT_LOAD, PT_INTERP = 1, 1, 3
SHT_DYNAMIC, SHT_DYNSYM, SHT_VERNEED, SHT_VERSYM = 6, 11, 0x6FFFFFFE, 0x6FFFFFFF
DT_NEEDED, DT_RPATH, DT_RUNPATH = 1, 15, 29
STB_GLOBAL = 1


class Wrong(Exception):
    """What is wrong with a file."""


class File:
    """One ELF file: what it is for, what it needs and what it has."""

    def __init__(self, data):
        self.data = data
        if data[4:6] != b"\x02\x01":
            raise Wrong("is no 64-bit little-endian ELF file")
        try:
            self.read()
        except (struct.error, IndexError, ValueError) as e:
            raise Wrong(f"is a damaged ELF file: {e}") from e

    def read(self):
        self.kind, self.machine = struct.unpack_from("<HH", self.data, 16)
        program, section = struct.unpack_from("<QQ", self.data, 32)
        sizes = struct.unpack_from("<6H", self.data, 52)
        segments = [struct.unpack_from("<IIQQQQQQ", self.data, program + i * sizes[1]) for i in range(sizes[2])]
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, section + i * sizes[3]) for i in range(sizes[4])]
        self.alignments = [s[7] for s in segments if s[0] == PT_LOAD]
        self.loader = next((self.text(s[2]) for s in segments if s[0] == PT_INTERP), "")
        self.needed, self.paths, self.versions = [], [], {}
        self.undefined, self.defined = {}, set()
        by_type = {s[1]: s for s in sections}
        for s in sections:
            strings = sections[s[6]][4] if s[6] < len(sections) else 0
            if s[1] == SHT_DYNAMIC:
                self.read_dynamic(s, strings)
            elif s[1] == SHT_VERNEED:
                self.read_versions(s, strings)
        if SHT_DYNSYM in by_type:
            symbols = by_type[SHT_DYNSYM]
            self.read_symbols(symbols, sections[symbols[6]][4], by_type.get(SHT_VERSYM))

    def text(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def read_dynamic(self, section, strings):
        for at in range(section[4], section[4] + section[5], 16):
            tag, value = struct.unpack_from("<QQ", self.data, at)
            if tag == DT_NEEDED:
                self.needed.append(self.text(strings + value))
            elif tag in (DT_RPATH, DT_RUNPATH):
                self.paths += self.text(strings + value).split(":")

    def read_versions(self, section, strings):
        at = section[4]
        for _ in range(section[7]):
            _, count, _, first, following = struct.unpack_from("<HHIII", self.data, at)
            item = at + first
            for _ in range(count):
                _, _, index, name, after = struct.unpack_from("<IHHII", self.data, item)
                self.versions[index] = self.text(strings + name)
                item += after
            at += following

    def read_symbols(self, section, strings, versions):
        for i in range(1, section[5] // 24):
            name, info, _, index, _, _ = struct.unpack_from("<IBBHQQ", self.data, section[4] + i * 24)
            if index:
                self.defined.add(self.text(strings + name))
            elif info >> 4 == STB_GLOBAL:
                version = struct.unpack_from("<H", self.data, versions[4] + 2 * i)[0] & 0x7FFF if versions else 0
                self.undefined[self.text(strings + name)] = self.versions.get(version, "")


def is_elf(data):
    return data[:4] == b"\x7fELF"


def check(files, libc, machine, musl_symbols):
    """Raise Wrong for the first file, by name, that the target cannot load.

    files maps the names of a wheel's ELF files to their content.
    """
    read = {}
    for name, data in sorted(files.items()):
        try:
            read[name] = File(data)
            check_file(read[name], libc, machine)
        except Wrong as e:
            raise Wrong(f"{name} {e}") from e
    own = {name.rsplit("/", 1)[-1] for name in read}
    defined = {symbol for f in read.values() for symbol in f.defined}
    for name, f in read.items():
        for library in f.needed:
            if library not in own and not of_libc(library, libc, machine):
                raise Wrong(f"{name} needs {library}, which the image does not have")
        for symbol, version in f.undefined.items():
            known = version or symbol in defined or re.match("_?Py", symbol) or libc == "musl" and symbol in musl_symbols
            if not known:
                raise Wrong(f"{name} needs the symbol {symbol}, which neither Python nor {libc} has")


def of_libc(library, libc, machine):
    if library == LOADERS[libc, machine]:
        return True
    return library in GLIBC if libc == "glibc" else MUSL.fullmatch(library) is not None


def check_file(f, libc, machine):
    if f.machine != MACHINES[machine]:
        names = {number: name for name, number in MACHINES.items()}
        raise Wrong(f"is for {names.get(f.machine, f'machine {f.machine}')}, not {machine}")
    if f.kind == ET_REL:
        return
    if f.loader and f.loader.rsplit("/", 1)[-1] != LOADERS[libc, machine]:
        raise Wrong(f"is started by {f.loader}: that is not {libc}")
    for alignment in f.alignments:
        if alignment < PAGE[machine]:
            raise Wrong(f"is aligned to {alignment} bytes, less than a page of {PAGE[machine]}")
    for path in f.paths:
        if not path.startswith("$ORIGIN"):
            raise Wrong(f"looks for libraries in {path}")
    for version in f.versions.values():
        family, _, number = version.partition("_")
        if family.startswith("GLIBC") and libc == "musl":
            raise Wrong(f"needs {version} on musl")
        if family == "GLIBC" and (number == "PRIVATE" or tuple(map(int, number.split("."))) > NEWEST_GLIBC):
            raise Wrong(f"needs {version}, newer than Debian 12's")
