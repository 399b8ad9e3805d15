"""Leave what asks for packages ready to run: pip unpacked, and the bytecode of all that is imported."""

import importlib
import os
import sys
import zipfile
from pathlib import Path

ASKING = Path("/asking")

if __name__ == "__main__":
    os.umask(0o022)
    sys.pycache_prefix = str(ASKING / "bytecode")
    with zipfile.ZipFile(next(Path("/pip/usr/share/python-wheels").glob("pip-*.whl"))) as wheel:
        wheel.extractall(ASKING / "pip")
    sys.path[:0] = ["/lucid", "/resolve", str(ASKING / "pip")]
    for name in ("resolve", "explain", "pip._internal.commands.download", "pip._internal.utils.unpacking"):
        importlib.import_module(name)
