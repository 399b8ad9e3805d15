"""The interpreter, its standard library and the place that it runs in."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import check, main, raises


@check("identity")
def identity():
    assert os.getuid() == 65532 and os.getgid() == 65532, (os.getuid(), os.getgid())
    assert os.getcwd() == "/app", os.getcwd()
    import pwd

    assert pwd.getpwuid(65532).pw_uid == 65532
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    assert int(fields["CapEff"], 16) == 0, fields["CapEff"]
    assert fields["NoNewPrivs"].strip() == "1", fields["NoNewPrivs"]


@check("interpreter")
def interpreter():
    assert sys.version_info[:2] == (3, 11), sys.version
    assert sys.prefix == "/opt/venv", sys.prefix
    assert sys.base_prefix != sys.prefix, sys.base_prefix
    assert sys.executable == "/opt/venv/bin/python", sys.executable
    for name in ("python", "python3", "python3.11"):
        found = shutil.which(name)
        assert found == f"/opt/venv/bin/{name}", (name, found)
        code = "import sys; print(sys.prefix)"
        out = subprocess.check_output([name, "-c", code], text=True)
        assert out == "/opt/venv\n", (name, out)


@check("environment")
def environment():
    assert os.environ["PATH"].split(":")[0] == "/opt/venv/bin", os.environ["PATH"]
    assert os.environ["PYTHONUNBUFFERED"] == "1"
    assert os.environ["PYTHONDONTWRITEBYTECODE"] == "1"
    assert sys.dont_write_bytecode


@check("locale")
def locale_():
    import locale

    assert os.environ["LANG"] == "C.UTF-8", os.environ["LANG"]
    assert locale.setlocale(locale.LC_ALL, "").replace("utf8", "UTF-8") == "C.UTF-8"
    assert locale.getpreferredencoding(False).upper() == "UTF-8"
    assert sys.getfilesystemencoding() == "utf-8"


@check("read-only")
def read_only():
    import sysconfig

    paths = sysconfig.get_paths()
    places = ["/", "/app", "/etc", "/usr", "/var/tmp", "/opt/venv", "/opt/venv/bin"]
    for place in places + [paths["stdlib"], paths["purelib"]]:
        if os.path.isdir(place):
            raises(OSError, open, os.path.join(place, "written"), "w")
    with tempfile.NamedTemporaryFile("w") as file:
        assert file.name.startswith("/tmp/"), file.name
        file.write("x")


@check("cached-bytecode")
def cached_bytecode():
    # Without the variable that forbids it, a missing .pyc file would be written.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    code = "import json, email.message, http.client, xml.dom.minidom"
    run = subprocess.run(
        [sys.executable, "-v", "-c", code], env=env, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    loaded = [li for li in run.stderr.splitlines() if li.startswith("# code object from")]
    assert len(loaded) > 20, run.stderr
    for line in loaded:
        assert line.rstrip("'").endswith(".pyc"), line
    assert "could not create" not in run.stderr and "# wrote" not in run.stderr


@check("ca-bundle")
def ca_bundle():
    import ssl

    assert os.environ["SSL_CERT_FILE"] == "/etc/ssl/certs/ca-certificates.crt"
    count = ssl.create_default_context().cert_store_stats()["x509_ca"]
    assert count > 100, count


@check("zoneinfo")
def zoneinfo_():
    import datetime
    import zoneinfo

    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    summer = datetime.datetime(2026, 7, 1, tzinfo=berlin)
    assert summer.utcoffset() == datetime.timedelta(hours=2)
    assert len(zoneinfo.available_timezones()) > 400


@check("sqlite3")
def sqlite3_():
    import sqlite3

    with tempfile.TemporaryDirectory() as place:
        db = sqlite3.connect(os.path.join(place, "x.db"))
        db.execute("create table things (name text)")
        db.execute("insert into things values ('a')")
        db.commit()
        assert db.execute("select name from things").fetchall() == [("a",)]
        db.close()


@check("ctypes")
def ctypes_():
    import ctypes

    libc = ctypes.CDLL(None)
    assert libc.getuid() == 65532
    assert libc.strlen(b"lucid") == 5
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)
    assert callback(41) == 42


@check("readline")
def readline_():
    import readline

    readline.add_history("a line")
    assert readline.get_history_item(1) == "a line"


@check("compression")
def compression():
    for name in ("bz2", "gzip", "lzma", "zlib"):
        module = importlib.import_module(name)
        text = b"lucid" * 1000
        packed = module.compress(text)
        assert len(packed) < len(text) and module.decompress(packed) == text, name


@check("databases")
def databases():
    import dbm.gnu
    import dbm.ndbm
    import uuid
    import xml.etree.ElementTree as tree

    with tempfile.TemporaryDirectory() as place:
        for kind in (dbm.ndbm, dbm.gnu):
            with kind.open(os.path.join(place, kind.__name__), "c") as db:
                db["k"] = "v"
                assert db["k"] == b"v", kind
    assert uuid.uuid1() != uuid.uuid1()
    assert tree.fromstring("<a><b>c</b></a>").findtext("b") == "c"


@check("hashlib")
def hashlib_():
    import hashlib

    known = {
        "md5": "900150983cd24fb0",
        "sha1": "a9993e364706816a",
        "sha256": "ba7816bf8f01cfea",
        "sha512": "ddaf35a193617aba",
        "sha3_256": "3a985da74fe225b2",
        "blake2b": "ba80a53f981c4d0d",
    }
    for name, start in known.items():
        assert hashlib.new(name, b"abc").hexdigest().startswith(start), name
    for name in hashlib.algorithms_guaranteed:
        getattr(hashlib, name)(b"abc")
    assert len(hashlib.scrypt(b"p", salt=b"s", n=16, r=8, p=1)) == 64


def _square(number):
    return number * number


@check("processes-and-threads")
def processes_and_threads():
    import concurrent.futures
    import multiprocessing

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(_square, range(5))) == [0, 1, 4, 9, 16]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(_square, [3]) == [9], method


@check("orphans")
def orphans():
    """What nobody waits for goes: process 1 does."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        orphan = os.fork()
        if orphan:
            os.write(write, str(orphan).encode())
        os._exit(0)
    os.waitpid(child, 0)
    orphan = os.read(read, 20).decode()
    for _ in range(100):
        if not os.path.exists(f"/proc/{orphan}"):
            return
        time.sleep(0.05)
    raise AssertionError(open(f"/proc/{orphan}/status").read())


@check("no-installer")
def no_installer():
    for name in ("pip", "setuptools", "pkg_resources", "wheel", "uv", "ensurepip", "easy_install"):
        assert importlib.util.find_spec(name) is None, name


if __name__ == "__main__":
    main()
