#!/usr/bin/python3.11 -IS
"""The cc, c++, ar and ranlib of a wheel's build: zig, for the target.

The target and the directories come from the environment; the names that a build
may call are links to this file.
"""

import os
import re
import sys

ZIG = "/opt/zig/ziglang/zig"
# Errors of today's clang that were warnings of the compilers that these sources were
# written for. A function that does not exist is found when the wheel is checked.
LENIENT = [f"-Wno-error={name}" for name in (
    "implicit-function-declaration", "implicit-int", "incompatible-function-pointer-types", "incompatible-pointer-types",
    "int-conversion", "return-mismatch",
)]
# The machine that builds is not the one that runs; zig's linker knows fewer names.
DROPPED = re.compile(r"-m(arch|tune|cpu)=native|-Wl,(--exclude-libs[,=].*|--no-as-needed|--as-needed|-Bsymbolic-functions)")
COMPILES_ONLY = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"}


def compiler(language, given):
    given = [a for a in given if not DROPPED.fullmatch(a)]
    before = ["-target", os.environ["LUCID_TARGET"], "-O2", "-fPIC", *LENIENT]
    after = ["-g0", "-fno-sanitize=undefined", "-ffile-prefix-map=/build=.", *(f"-isystem{d}" for d in os.environ["LUCID_INCLUDE"].split(":") if d)]
    if not COMPILES_ONLY.intersection(given):
        # -Bsymbolic lets archives that were not made for shared libraries be part of one.
        after += ["-s", "-L" + os.environ["LUCID_LIBRARIES"], "-Wl,-Bsymbolic"]
        if "musl" in os.environ["LUCID_TARGET"] and "-shared" not in given:
            after.append("-dynamic")  # or zig compiles the whole of musl for a program that nobody runs
    return [language, *before, *given, *after]


def main():
    tool = os.path.basename(sys.argv[0])
    if tool in ("ar", "ranlib"):
        command = [tool, *sys.argv[1:]]
    elif tool == "ld":  # libtool asks what it can do, and links by the compiler
        command = ["ld.lld", *sys.argv[1:]]
    else:
        command = compiler("c++" if tool.endswith("++") else "cc", sys.argv[1:])
    os.execv(ZIG, [ZIG, *command])


main()
