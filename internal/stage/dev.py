"""Lay out the environment of a twin for build stages, and the command pip, without a network."""

import os
import sys
from pathlib import Path

sys.path.insert(0, "/lucid")

import stage  # noqa: E402

OUT = "/out"
NONROOT = 65532  # the user and group of every image

# Where the module pip is for "python -m pip"; the command is a link to it.
MODULE = "/usr/local/lib/pip/pip.py"

PIP = '''#!{path}/bin/python
"""pip, from its wheel."""

import os
import runpy
import sys

if __name__ == "__main__":
    own = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = ["/usr/share/python-wheels/{wheel}"] + [p for p in sys.path if os.path.realpath(p) != own]
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def dev(path, version, prefix):
    """Lay out an environment that its user owns, and that sees the packages of the base, and the command pip."""
    root = Path(OUT + path)
    stage.venv(root, prefix, version)
    (root / stage.SITE_PACKAGES / "base.pth").write_text(f"/opt/venv/{stage.SITE_PACKAGES}\n")
    wheel = next(Path("/packages/usr/share/python-wheels").glob("pip-*.whl"))
    module, command = Path(OUT + MODULE), Path(OUT + "/usr/local/bin/pip")
    module.parent.mkdir(parents=True)
    module.write_text(PIP.format(path=path, wheel=wheel.name))
    module.chmod(0o755)
    command.parent.mkdir(parents=True)
    command.symlink_to(MODULE)
    stage.settle(OUT)
    for entry in [root, *root.rglob("*")]:
        os.chown(entry, NONROOT, NONROOT, follow_symlinks=False)


if __name__ == "__main__":
    os.umask(0o022)
    dev(*sys.argv[1:])
