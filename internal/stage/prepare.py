"""Prepare the scripts that ask the index: unpack pip, and import everything once, so that Python writes its bytecode."""

import importlib
import os
import sys
import zipfile
from pathlib import Path

# What is imported when it is needed.
LATER = ("concurrent.futures.process", "pip._vendor.packaging.requirements", "pip._internal.commands.download", "pip._internal.utils.unpacking")

ASKING = Path("/asking")

if __name__ == "__main__":
    os.umask(0o022)
    with zipfile.ZipFile(next(Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))) as wheel:
        wheel.extractall(ASKING / "pip")
    sys.path[:0] = ["/lucid", "/resolve", str(ASKING / "pip")]
    for name in ("resolve", "explain", *LATER):
        importlib.import_module(name)
