"""Run C code of each package that is named, and print what it answers: the same on
every target."""

import hashlib
import importlib
import json
import sys
import time
from pathlib import Path

DATA = bytes(range(256)) * 64 + b"lucid" * 1000


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def loaded(name):
    """Return the module, which must be compiled."""
    module = importlib.import_module(name)
    assert module.__file__.endswith(".so"), module.__file__
    return module


def psutil():
    import psutil
    loaded("psutil._psutil_linux")
    assert psutil.virtual_memory().total > 0 and psutil.Process().memory_info().rss > 0
    return [psutil.__version__, len(psutil.net_if_addrs()) > 0, psutil._psutil_linux.linux_sysinfo()[0] > 0]


def pymongo():
    import bson
    import pymongo
    assert bson.has_c() and pymongo.has_c()
    return digest(bson.encode({"a": [1, 2.5, "x"], "b": {"c": b"bytes"}, "d": 2**40}))


def zstandard():
    import zstandard
    loaded("zstandard.backend_c")
    packed = zstandard.ZstdCompressor(level=7).compress(DATA)
    assert zstandard.ZstdDecompressor().decompress(packed) == DATA
    return [zstandard.backend, digest(packed)]


def msgpack():
    import msgpack
    loaded("msgpack._cmsgpack")
    packed = msgpack.Packer().pack({"a": [1, -2, 3.5, None, True], "b": DATA})
    return [msgpack.Packer.__module__, digest(packed), msgpack.unpackb(packed)["a"]]


def hiredis():
    import hiredis
    loaded("hiredis.hiredis")
    reader = hiredis.Reader()
    reader.feed(b"*3\r\n$5\r\nhello\r\n:42\r\n,1.5\r\n")
    return [str(reader.gets()), digest(hiredis.pack_command(("SET", "k", 1)))]


def bitarray():
    import bitarray
    loaded("bitarray._bitarray")
    bits = bitarray.bitarray(endian="big")
    bits.frombytes(DATA)
    return [bits.count(), digest((bits << 3).tobytes()), len(list(bits.itersearch(bitarray.bitarray("1011"))))]


def lz4():
    import lz4.block
    import lz4.frame
    loaded("lz4.frame._frame")
    return [digest(lz4.block.compress(DATA)), digest(lz4.frame.compress(DATA)), lz4.frame.decompress(lz4.frame.compress(DATA)) == DATA]


def greenlet():
    import greenlet
    loaded("greenlet._greenlet")
    said = []

    def other():
        said.append(2)
        try:
            here.switch()
        except ValueError as e:
            said.append(str(e))
        return "end"

    here = greenlet.getcurrent()
    there = greenlet.greenlet(other)
    said.append(1)
    there.switch()
    said.append(there.throw(ValueError("thrown")))
    return said


def pyyaml():
    import yaml
    loaded("yaml._yaml")
    text = yaml.dump({"a": [1, 2], "b": "text: here"}, Dumper=yaml.CDumper)
    return [yaml.__with_libyaml__, text, yaml.load(text, Loader=yaml.CLoader) == {"a": [1, 2], "b": "text: here"}, yaml._yaml.get_version_string()]


def cffi():
    # cffi itself needs pycparser; its backend is all that is compiled.
    backend = loaded("_cffi_backend")
    number = backend.new_primitive_type("int")
    one = backend.new_function_type((number,), number, False)
    two = backend.new_function_type((number, number), number, False)
    # A call, and a callback: libffi's own code runs both ways.
    absolute = backend.load_library(None).load_function(one, "abs")
    add = backend.callback(two, lambda a, b: a + b)
    return [absolute(-42), add(40, 2), backend.__version__]


def cysignals():
    from cysignals import alarm, signals
    loaded("cysignals.signals")
    try:
        alarm.alarm(0.05)
        time.sleep(60)
    except signals.AlarmInterrupt:
        return "interrupted"


def levenshtein():
    # It imports rapidfuzz, which is not among the sources here; what is compiled is by itself.
    from importlib import util
    file, = Path(util.find_spec("Levenshtein").origin).parent.glob("levenshtein_cpp*.so")
    spec = util.spec_from_file_location("levenshtein_cpp", file)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    words = ["kitten", "sitting", "mitten"]
    return [module.median(words), module.setratio(words, ["fitting", "bitten"])]


def tomli():
    import tomli
    return tomli.loads("a = [1, 2.5, 'x']")


def tomlkit():
    import tomlkit
    return tomlkit.dumps({"a": [1, 2.5, "x"]})


def stem():
    import stem.version
    return str(stem.version.Version("0.4.7.8"))


def gnupg():
    import gnupg
    return gnupg.__version__


def parsimonious():
    # It imports regex, which is not among the sources here.
    from importlib import metadata, util
    assert util.find_spec("parsimonious")
    return metadata.version("parsimonious")


print(json.dumps({name: globals()[name]() for name in sys.argv[1:]}, sort_keys=True))
